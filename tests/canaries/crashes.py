"""Scenarios in which our own code fails, and what it raises quotes all that there is to quote."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import NoReturn
from unittest import mock

from tests.canaries import planted
from tests.canaries.aws_faults import everything
from tests.canaries.everybody import everybody
from tests.canaries.site import Site
from tests.canaries.tours import Scenario


class Telling(Exception):
    """An exception whose text, representation and attributes are secrets."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told

    def __repr__(self) -> str:
        return f"Telling({self.told!r})"


def _chained(told: str) -> Exception:
    error = ValueError(told)
    error.__cause__, error.__context__ = Telling(told), KeyError(told)
    error.add_note(told)
    return error


RAISED: dict[str, Callable[[str], Exception]] = {
    "a telling exception": Telling,
    "an exception with a cause": _chained,
    "several exceptions": lambda told: ExceptionGroup(told, [Telling(told), ValueError(told)]),
    "bad JSON": lambda told: json.JSONDecodeError(told, told, 0),
    "bad UTF-8": lambda told: UnicodeDecodeError("utf-8", told.encode(), 0, 1, told),
}
PLACES = (
    "coze_sts.http_event.Request.fields",
    "coze_sts.wiring.backend_caller",
    "coze_sts.auth.identity.user",
    "coze_sts.auth.guest.TicketOffice.admit",
    "coze_sts.telemetry.Telemetry.note_names",
    "coze_sts.performer.seal",
    "coze_sts.cache.store.TokenStore.read",
    "coze_sts.coze.mint.sign",
    "coze_sts.coze.grant.read_grant",
    "coze_sts.keyring.Keyring.derive",
)


def crash(place: str, site: Site) -> None:
    error = Telling(everything(site))
    for function in ("token", "assertion"):
        site.app(function)
    with mock.patch(place, side_effect=error, autospec=True):
        for visit in everybody(site):
            site.ask(visit)


def crash_of_routes(make: Callable[[str], Exception], site: Site) -> None:
    error = make(everything(site))

    def fail(_request: object) -> NoReturn:
        raise error

    for visit in everybody(site):
        with mock.patch.dict(site.app(visit.function).ROUTES, {visit.route: fail}):
            site.ask(visit)


def bad_start(variables: dict[str, str], site: Site) -> None:
    """A function that does not even start: Lambda logs why."""
    site.restart(**variables)
    for function in ("token", "assertion", "key_rotation"):
        site.invoke(function, {})


def _mistaken(name: str) -> dict[str, str]:
    return {name: f"{planted.TURNSTILE_SECRET} {planted.WECHAT_SECRET}"}


CHECKED_VARIABLES = (
    *("COZE_API_BASE", "COZE_ACCOUNT_ID", "COZE_BOT_IDS", "COZE_PERMISSIONS", "SESSION_CLAIM"),
    "SIGNING_KEY_ARN",
    *("TOKEN_DURATION_SECONDS", "OIDC_ISSUER", "OIDC_ISSUER_2", "OIDC_PREFIX_2", "CONNECTOR_ID"),
    *("SESSION_NAMING", "SESSION_NAMESPACE", "END_USER_QUOTA", "GUEST_SESSIONS", "ALLOWED_ORIGINS"),
    *("NEW_GUESTS_PER_ADDRESS", "TOKENS_PER_SESSION", "TURNSTILE_API_BASE", "WECHAT_API_BASE"),
)

SCENARIOS: dict[str, Scenario] = {
    **{f"a crash in {place}": partial(crash, place) for place in PLACES},
    **{f"a route raises {name}": partial(crash_of_routes, make) for name, make in RAISED.items()},
    **{f"a mistaken {name}": partial(bad_start, _mistaken(name)) for name in CHECKED_VARIABLES},
}
