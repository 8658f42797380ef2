"""A service that is well passes, and a run leaves nothing new behind."""

from __future__ import annotations

import base64
import json
from collections import Counter
from functools import partial
from typing import Any

import pytest
import requests
from coze_sts.web import WebAnswer, send

from tests.isolation_canary.checks import ALL, AT_COZE, AT_THE_DOORS, BOT
from tests.isolation_canary.conftest import RunCanary, Stack

SESSIONS = ["coze-sts-canary-1", "coze-sts-canary-2"]
NO_ISSUER = {"OidcIssuer": "", "OidcAudience": ""}


def test_a_healthy_service_passes_every_check(stack: Stack, run: RunCanary) -> None:
    found = run(stack)
    assert found.having("passed") == ALL
    assert (found.verdict, found.metrics) == ("CanaryPassed", {"CanaryPassed": 1})


def test_a_check_is_a_line_of_the_log(stack: Stack, run: RunCanary) -> None:
    found = run(stack)
    said = {line.__dict__["check"]: line.__dict__["outcome"] for line in found.lines}
    assert said == found.checks
    assert len(found.lines) == len(ALL)
    assert {line.levelname for line in found.lines} == {"INFO"}
    assert all(line.getMessage().startswith(f"{line.__dict__['check']}: ") for line in found.lines)


def test_no_token_ticket_or_sign_in_is_in_the_log_or_in_what_is_returned(
    stack: Stack, run: RunCanary
) -> None:
    found = run(stack)
    told = repr([vars(line) for line in found.lines]) + repr(found.checks)
    assert stack.coze.tokens
    for secret in (*stack.coze.tokens, "g1.", "eyJ", "AWS4-HMAC"):
        assert secret not in told


def test_a_run_uses_the_tokens_and_the_conversations_of_the_run_before(
    stack: Stack, run: RunCanary
) -> None:
    run(stack)
    created = conversations(stack)
    run(stack)
    assert [exchange.session_name for exchange in stack.coze.exchanges] == SESSIONS
    assert conversations(stack) == created
    assert len(created) == 2


def test_a_session_that_has_a_conversation_gets_no_other(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stack)
    monkeypatch.setattr("coze_sts.canary.run.SESSIONS", (SESSIONS[0], "coze-sts-canary-3"))
    run(stack)
    assert len(conversations(stack)) == 3


def test_a_run_costs_what_the_document_says(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stack)
    calls = Counter[str]()
    for module in ("front_door", "coze_api", "issuer_keys"):
        counted = partial(counting, calls, module)
        monkeypatch.setattr(f"coze_sts.canary.{module}.send", counted)
    run(stack)
    assert calls == {"front_door": 9, "coze_api": 6, "issuer_keys": 2}


def counting(calls: Counter[str], module: str, *given: Any, **more: Any) -> WebAnswer:
    calls[module] += 1
    return send(*given, **more)


def conversations(stack: Stack) -> set[str]:
    """Those of all tokens, as Coze lists them."""
    url, found = f"{stack.coze_url}/v1/conversations?bot_id={BOT}", set()
    for token in stack.coze.tokens:
        headers = {"Authorization": f"Bearer {token}"}
        listed = requests.get(url, headers=headers, timeout=10).json()["data"]["conversations"]
        found |= {conversation["id"] for conversation in listed}
    return found


@pytest.mark.parametrize(
    "closed",
    [{"GuestSessions": "off"}, NO_ISSUER, {"AllowedOrigins": "", "AllowNoOrigin": "off"}],
    ids=["no guests", "no issuer", "no pages"],
)
def test_a_door_that_is_closed_has_refused(closed: dict[str, str], run: RunCanary) -> None:
    with Stack(**closed) as stack:
        assert run(stack).having("passed") == ALL


def test_every_issuer_has_its_door_tried(run: RunCanary) -> None:
    with Stack() as first, Stack() as second:
        issuer = {"OidcIssuer2": second.oidc.issuer, "OidcAudience2": "any", "OidcPrefix2": "two_"}
        with Stack(**issuer, OidcIssuer=first.oidc.issuer) as stack:
            found = run(stack)
    tried = {"unsigned sign-in at /token/2", "sign-in with another's key at /token/2"}
    assert found.having("passed") == ALL | tried


@pytest.mark.parametrize("missing", ["CanaryBotId", "CozeApiBase"])
def test_what_is_not_set_up_is_said_and_not_passed(run: RunCanary, missing: str) -> None:
    with Stack(**{missing: ""}) as stack:
        found = run(stack)
    assert found.having("not tried") == AT_COZE
    assert found.having("passed") == ALL - AT_COZE
    assert "CANARY_BOT_ID or COZE_API_BASE is not set" in found.lines[-1].getMessage()


def test_nothing_is_proved_where_coze_shows_no_message_to_the_owner(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.local.coze.messages.Messages.begin", lambda *_, **__: None)
    found = run(stack)
    assert found.having("not tried") == {check for check in AT_COZE if "cannot read" in check}


def test_a_page_is_one_of_those_that_may_call(stack: Stack, run: RunCanary) -> None:
    run(stack)
    origins = {seen.headers.get("Origin") for seen in stack.faults.seen}
    assert origins == {stack.parameters["AllowedOrigins"].split(",")[0]}


def test_a_lie_is_right_in_all_else(stack: Stack, run: RunCanary) -> None:
    """Or it would be refused for another reason than the one that is tried."""
    run(stack)
    for seen in stack.faults.seen:
        if "Authorization" in seen.headers:
            token = seen.headers["Authorization"].removeprefix("Bearer ")
            header, claims = map(decoded, token.split(".")[:2])
            assert header["kid"] == stack.oidc.kid
            assert (claims["iss"], claims["aud"]) == (stack.oidc.issuer, stack.oidc.audience)
            assert claims["sub"] == SESSIONS[0]
    assert len(stack.faults.seen) == len(AT_THE_DOORS) - 2  # backends are not watched


def decoded(part: str) -> dict[str, str]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
