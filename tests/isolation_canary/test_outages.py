"""What does not answer, or not as the API documents it, could not be told: no more, no less."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from coze_sts.canary.coze_api import Reply
from coze_sts.canary.finding import Finding, Outcome, Verdict, verdict

from tests.isolation_canary import checks
from tests.isolation_canary.conftest import RunCanary, Stack
from tests.local.coze.errors import ApiRefusal
from tests.local.faults import HANG_UP, Plan, Planned

GUESTS = {checks.FORGED, checks.FOREIGN, checks.PAGE_NAMES}
SIGN_INS = {checks.UNSIGNED, checks.ANOTHERS_KEY}
BACKEND = {checks.UNSIGNED_BACKEND, checks.GUEST_NAMED}
TOKENS = {checks.TOKEN_1, checks.TOKEN_2, checks.DIFFER, *checks.AT_COZE}

PLANS: dict[str, Plan] = {
    "hangs up": HANG_UP,
    "429": Planned(status=429, body={"message": "Too Many Requests"}),
    "500": Planned(status=500, body={"message": "Internal Server Error"}),
    "503": Planned(status=503, body={"error": "temporarily_unavailable"}),
    "a page of somebody else": Planned(status=200, body=b"<html>We are back soon.</html>"),
    "a redirect": Planned(status=302, headers={"Location": "https://elsewhere.example"}),
    "a refusal that is not documented": Planned(status=418, body={"error": "teapot"}),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize(
    ("path", "untold"),
    [("/guest/token", GUESTS), ("/token", SIGN_INS), ("/backend/token", BACKEND | TOKENS)],
)
def test_a_door_that_does_not_answer_as_documented_could_not_be_told(
    stack: Stack, run: RunCanary, path: str, untold: set[str], plan: Plan
) -> None:
    stack.faults.next[path] = lambda: plan
    found = run(stack)
    assert found.having("unknown") == untold
    assert found.having("passed") == checks.ALL - untold
    assert (found.verdict, found.metrics) == ("CanaryFailed", {"CanaryFailed": 1})


def test_what_the_function_says_of_a_sign_in_is_no_refusal(stack: Stack, run: RunCanary) -> None:
    """It is asked only where the authorizer believed the sign-in."""
    stack.faults.next["/token"] = lambda: Planned(status=403, body={"error": "access_denied"})
    assert run(stack).having("unknown") == SIGN_INS


def test_without_its_own_signature_a_refusal_to_name_guests_is_not_told(
    stack: Stack, run: RunCanary
) -> None:
    stack.faults.next["/backend/token"] = lambda: Planned(status=403, body={"message": "Forbidden"})
    found = run(stack)
    assert checks.GUEST_NAMED in found.having("unknown")
    assert checks.UNSIGNED_BACKEND in found.having("passed")


def coze_grants_nothing(stack: Stack) -> None:
    stack.coze.fail_next(status=503, body={"error_code": "internal_error"}, times=10)


def coze_may_not_list(stack: Stack) -> None:
    stack.coze.withdraw_permission("listConversation")


def coze_may_not_create(stack: Stack) -> None:
    stack.coze.withdraw_permission("createConversation")


def coze_may_not_read(stack: Stack) -> None:
    stack.coze.withdraw_permission("listMessage")


def the_issuer_is_gone(stack: Stack) -> None:
    stack.servers[1].close()


@pytest.mark.parametrize(
    ("fail", "untold"),
    [
        (coze_grants_nothing, TOKENS),
        (coze_may_not_list, checks.AT_COZE),
        (coze_may_not_create, checks.AT_COZE),
        (coze_may_not_read, checks.READS),
        (the_issuer_is_gone, {checks.ANOTHERS_KEY}),
    ],
)
def test_what_others_fail_at_could_not_be_told(
    stack: Stack, run: RunCanary, fail: Callable[[Stack], None], untold: set[str]
) -> None:
    fail(stack)
    found = run(stack)
    assert found.having("unknown") == untold
    assert found.having("broken") == set()
    assert found.verdict == "CanaryFailed"


def test_a_busy_coze_has_not_refused(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = ApiRefusal(status=200, code=4009, message="busy")
    monkeypatch.setattr("tests.local.coze.conversations.not_found", lambda: busy)
    found = run(stack)
    assert found.having("unknown") == checks.READS
    assert "code 4009" in found.lines[-1].getMessage()


@pytest.mark.parametrize(
    ("status", "code", "tells_nothing"),
    [
        *((500, 0, True), (503, None, True), (429, 4013, True), (401, 4100, True)),
        *((200, 4009, True), (200, 700012006, True), (200, None, True), (404, None, True)),
        *((404, 4200, False), (403, 4101, False), (400, 4000, False), (200, 4200, False)),
    ],
)
def test_a_refusal_that_the_owner_would_meet_too_says_nothing_of_who_may_read(
    status: int, code: int | None, tells_nothing: bool
) -> None:
    assert Reply(status=status, code=code, data=None, log_id="1").tells_nothing is tells_nothing


def test_what_there_is_no_time_for_could_not_be_told(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.functions["CanaryFunction"], "_timeout", 2)
    assert run(stack).having("unknown") == checks.ALL


def test_a_bug_of_ours_is_a_run_that_failed(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coze_sts.canary.front_door.SigV4Auth", None)
    found = run(stack)
    assert (found.verdict, found.metrics) == ("CanaryFailed", {"CanaryFailed": 1})
    assert found.lines[-1].__dict__["exception_name"] == "TypeError"


P, B, U, N = Outcome.PASSED, Outcome.BROKEN, Outcome.UNKNOWN, Outcome.NOT_TRIED


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([P, P], Verdict.PASSED),
        ([P, N], Verdict.PASSED),
        ([P, U], Verdict.FAILED),
        ([N, N], Verdict.FAILED),
        ([], Verdict.FAILED),
        ([P, U, B, N], Verdict.BROKEN),
    ],
)
def test_only_what_was_tried_and_told_passes_and_what_is_broken_outweighs_all(
    outcomes: list[Outcome], said: Verdict
) -> None:
    findings = [Finding(check="any", outcome=outcome, reason="any") for outcome in outcomes]
    assert verdict(findings) is said
