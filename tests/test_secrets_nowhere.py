"""No secret comes out anywhere: everything is planted, everything is driven, everything is read."""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
import requests
from coze_sts.errors import StsError

from tests.canaries import (
    aws_faults,
    bad_secrets,
    crashes,
    planted,
    rotations,
    signing,
    tours,
    upstream,
    wrongs,
)
from tests.canaries.cold_start import TALKATIVE
from tests.canaries.evidence import GIVEN, OWN
from tests.canaries.grep import Canary, Grep
from tests.canaries.run import MEANT, Report, run
from tests.canaries.site import BY_PSEUDONYM, Site
from tests.canaries.visits import Visit

SCENARIOS = {
    name: scenario
    for family in (tours, wrongs, upstream, aws_faults, bad_secrets, signing, crashes, rotations)
    for name, scenario in family.SCENARIOS.items()
}
PLACES = {
    *("stdout", "stderr", "log records", "metrics", "warnings", "answers", "our errors"),
    *("token table", "binding table", "escaped exceptions"),
    *("asked of Coze", "asked of WeChat", "asked of Cloudflare", BY_PSEUDONYM),
}
SILENT = {"stderr", "warnings"}
"""Where the functions leave nothing at all."""

MADE_OF_OTHERS = {"derived key"}
"""The kind that is in no request and in no secret as it is."""

SIGN_IN = {200, 400, 401, 403, 429, 500, 502, 503}
SIGN_OUT = {204, 400, 401, 403, 429, 500, 503}
ENDS = {
    **{f"POST /token{number}": SIGN_IN for number in ("", "/2", "/3")},
    **{f"DELETE /token{number}": SIGN_OUT for number in ("", "/2", "/3")},
    "POST /guest/token": SIGN_IN,
    "POST /wechat/token": SIGN_IN,
    "POST /backend/token": SIGN_IN - {403},
    "DELETE /backend/token": SIGN_OUT - {403},
    "POST /backend/assertion": {200, 400, 401, 500, 503},
    "GET /health": {200, 404, 500},
    f"POST /{planted.PATH}": {404},
}
"""Every answer that a function gives on each route; AssertionFunction does not know all."""


@pytest.fixture(scope="module", params=["INFO", "DEBUG"])
def report(request: pytest.FixtureRequest) -> Report:
    return run(SCENARIOS, level=request.param)


def our_errors() -> Iterator[type[StsError]]:
    tree = [StsError]
    while tree:
        error = tree.pop()
        if error.__module__.startswith("coze_sts."):
            yield error
        tree += error.__subclasses__()


def test_no_secret_is_anywhere_but_in_its_own_answer(report: Report) -> None:
    assert [f"{leak.place}: {leak.find} ({leak.scenario})" for leak in report.leaks] == []


def test_an_answer_holds_the_token_ticket_or_assertion_of_its_own_caller(report: Report) -> None:
    assert report.site.harvest.wrong == []
    owned = "".join(trace.text for trace in report.evidence.traces if trace.place == OWN)
    assert all(f'"{name}"' in owned for name in ("access_token", "guest_ticket", "assertion"))


def test_everything_that_is_looked_for_was_there_to_be_found(report: Report) -> None:
    met = {kind for kind, place in report.met if place in {GIVEN, OWN} | MEANT.get(kind, set())}
    assert report.kinds - met == MADE_OF_OTHERS
    assert {(kind, place) for kind, places in MEANT.items() for place in places} <= set(report.met)


def test_every_kind_was_looked_for_in_every_place(report: Report) -> None:
    traces = Counter(trace.place for trace in report.evidence.traces)
    looked_at = {(kind, place) for kind in report.kinds for place in traces.keys() & PLACES}
    assert len(looked_at) == len(report.kinds) * len(PLACES - SILENT)
    assert len(report.kinds) > 50
    assert traces["stdout"] >= len(SCENARIOS) * 3 / 4


def test_every_route_was_driven_to_each_of_its_ends(report: Report) -> None:
    assert {route: ENDS[route] - seen for route, seen in report.site.seen.items()} == {
        route: set() for route in ENDS
    }
    assert report.site.routes | {f"POST /{planted.PATH}"} == ENDS.keys()


def test_every_error_of_ours_was_raised(report: Report) -> None:
    assert {error.__name__ for error in our_errors()} == {
        error.__name__ for error in report.site.raised_kinds
    }


def test_no_line_of_the_log_says_who_somebody_is(report: Report) -> None:
    """Found without the search above, and names that are too short for it."""
    lines = report.evidence.printed()
    assert len(lines) > 1000
    guests = {canary.text for canary in report.canaries if canary.kind == "guest's name"}
    assert guests
    for name in {*planted.NAMES.values(), *guests, "7355608", "Mozilla"}:
        assert [line for line in lines if name in line or json.dumps(name)[1:-1] in line] == []


def test_the_libraries_log_nothing_whatever_they_are_told(report: Report) -> None:
    records = [trace.text for trace in report.evidence.traces if trace.place == "log records"]
    assert all("'name': 'coze-sts'" in text for text in records if text) or records
    for library in set(TALKATIVE) - {"aws_lambda_powertools"}:
        assert f"'name': '{library}" not in "\n".join(records)
    debugged = any("'levelname': 'DEBUG'" in text for text in records)
    assert debugged is (report.site.level == "DEBUG")


# The search itself


def everywhere(site: Site) -> None:
    """One leak for each place."""
    told = planted.EMAIL
    site.app("token")
    print(told)
    print(told, file=sys.stderr)
    print(json.dumps({"_aws": told}))
    logging.getLogger("botocore.parsers").critical("an answer", extra={"body": told})
    warnings.warn(told, stacklevel=1)
    item: dict[str, Any] = {"pk": {"S": "x"}, "ct": {"B": told.encode()}}
    for table in ("TOKEN_TABLE", "BINDING_TABLE"):
        site.account.put(table, item)
    for url in site.outsiders.urls.values():
        requests.post(url, data=told, timeout=5)
    with mock.patch("coze_sts.key_rotation.KeyRotation.run", side_effect=StsError(told)):
        site.invoke("key_rotation", {"SecretId": "coze", "ClientRequestToken": "x"})
    health = mock.patch.dict(site.app("token").ROUTES, {"GET /health": lambda _: (200, {told: 1})})
    with health:
        site.ask(Visit(route="GET /health"))


def past_python(site: Site) -> None:
    """Written to the descriptors themselves."""
    for descriptor in (1, 2):
        os.write(descriptor, planted.EMAIL.encode())


def test_a_leak_is_seen_in_every_place() -> None:
    assert {leak.place for leak in run({"": everywhere}, level="INFO").leaks} == PLACES - {
        BY_PSEUDONYM
    }
    assert {leak.place for leak in run({"": past_python}, level="INFO").leaks} == {
        "stdout",
        "stderr",
    }


def test_what_is_somebody_elses_is_seen_in_an_answer() -> None:
    def another(site: Site) -> None:
        body = site.ask(tours.user()).body
        site.harvest.without_own(body, "somebody else", coze=site.coze)

    assert len(run({"": another}, level="INFO").site.harvest.wrong) == 1


SECRET = "Kq7fW2mZx9Lr4TbN8vYc3HdPs6JgEa王小明"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET[5:17],
        SECRET.upper(),
        SECRET[::-1],
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"xy" + SECRET.encode()).decode(),
        base64.b64encode(json.dumps({"name": SECRET}).encode()).decode(),
        json.dumps(json.dumps(SECRET)),
        "".join(f"\\u{ord(character):04x}" for character in SECRET),
        "".join(f"\\x{byte:02x}" for byte in SECRET.encode()),
        "".join(f"%{byte:02x}" for byte in SECRET.encode()),
        quote(SECRET),
        f"{SECRET[:10]}\n{SECRET[10:]}",
        repr(f"{SECRET[:10]}\r\n{SECRET[10:]}"),
    ],
)
def test_a_leak_is_seen_however_it_is_written(written: str) -> None:
    grep = Grep([Canary(kind="a secret", text=SECRET)])
    assert {find.kind for find in grep(f"before {written} after")} == {"a secret"}
    assert grep("before and after, and nothing in between") == set()


def test_of_a_key_any_24_characters_are_seen(private_pem: str) -> None:
    body = "".join(private_pem.splitlines()[1:-1])
    grep = Grep([Canary(kind="key", text=body, long=True)])
    assert all(grep(body[at : at + 24]) for at in range(len(body) - 23))
    assert grep(repr(private_pem[100:160]))
