from __future__ import annotations

import pytest

from tests.local import template

PARAMETERS = template.source()["Parameters"]
ISSUER = {"OidcIssuer": "https://login.example.com", "OidcAudience": "web"}
ISSUER_2 = {
    "OidcIssuer2": "https://staff.example.org",
    "OidcAudience2": "intranet",
    "OidcPrefix2": "staff_",
}
ISSUER_3 = {
    "OidcIssuer3": "https://partner.example.net",
    "OidcAudience3": "shop",
    "OidcPrefix3": "partner:",
}
ISSUERS = ISSUER | ISSUER_2 | ISSUER_3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OidcIssuer", "http://login.example.com"),
        ("OidcIssuer", "https://login.example.com/?tenant=a"),
        ("OidcIssuer", "login.example.com"),
        ("OidcAudience", "web, app"),
        ("OidcAudience", "web,"),
        ("OidcPrefix2", "staff"),
        ("OidcPrefix2", "Staff_"),
        ("OidcPrefix2", "_"),
        ("OidcPrefix2", "st aff_"),
        ("OidcPrefix2", f"{'p' * 32}_"),
    ],
)
def test_an_unsound_issuer_audience_or_prefix_is_refused(name: str, value: str) -> None:
    assert template.refusals(ISSUERS) == []
    assert template.refusals(ISSUERS | {name: value}) == [
        f"{name} {PARAMETERS[name]['ConstraintDescription']}"
    ]


@pytest.mark.parametrize("parameter", ["OidcIssuer", "OidcAudience", "OidcPrefix"])
def test_what_holds_for_one_issuer_holds_for_all(parameter: str) -> None:
    declared = [PARAMETERS[name] for name in ISSUERS if name.startswith(parameter)]

    assert len(declared) > 1
    assert len({one["AllowedPattern"] for one in declared}) == 1
    assert {one["Default"] for one in declared} == {""}


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"OidcIssuer": "https://login.example.com"}, "OidcIssuer needs OidcAudience"),
        ({"OidcAudience": "web"}, "OidcAudience means nothing without OidcIssuer"),
        (ISSUER_2, "OidcIssuer2 needs OidcIssuer."),
        (ISSUER_3, "OidcIssuer3 needs OidcIssuer."),
    ],
)
def test_an_issuer_that_nobody_checks_is_refused(parameters: dict[str, str], refusal: str) -> None:
    [said] = template.refusals(parameters)

    assert refusal in said


@pytest.mark.parametrize("missing", [*ISSUER_2, *ISSUER_3])
def test_a_further_issuer_needs_all_of_its_parameters(missing: str) -> None:
    there = {name: value for name, value in ISSUERS.items() if name != missing}
    number = missing[-1]

    assert template.refusals(there) == [
        f"Set OidcIssuer{number}, OidcAudience{number} and OidcPrefix{number}, or none of them."
    ]


@pytest.mark.parametrize("name", [*ISSUER_2, *ISSUER_3])
def test_one_parameter_makes_no_further_issuer(name: str) -> None:
    number = name[-1]

    assert template.refusals(ISSUER | {name: ISSUERS[name]}) == [
        f"Set OidcIssuer{number}, OidcAudience{number} and OidcPrefix{number}, or none of them."
    ]


def test_the_third_issuer_needs_no_second() -> None:
    assert template.refusals(ISSUER | ISSUER_3) == []
