"""Each flaw is found by the check that is there for it, and is the loudest thing in the log."""

from __future__ import annotations

import pytest

from tests.isolation_canary.checks import ALL, FORGED, UNSIGNED
from tests.isolation_canary.conftest import RunCanary, Stack
from tests.isolation_canary.flaws import (
    FLAWS,
    Plant,
    every_assertion_names_one_session,
    forged_tickets_are_believed,
    the_gateway_takes_alg_none,
)
from tests.local.faults import HANG_UP, Planned


@pytest.mark.parametrize("plant", FLAWS, ids=lambda plant: plant.__name__)
def test_a_planted_flaw_is_found(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    found = run(stack)
    assert found.having("broken") == FLAWS[plant]
    assert found.verdict == "IsolationBroken"
    assert found.metrics == {"IsolationBroken": 1}


@pytest.mark.parametrize(
    "plant",
    [plant for plant in FLAWS if plant is not every_assertion_names_one_session],
    ids=lambda plant: plant.__name__,
)
def test_a_flaw_that_comes_later_is_found_as_well(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    """Both sessions have tokens and conversations by then."""
    assert run(stack).verdict == "CanaryPassed"
    plant(monkeypatch)
    assert run(stack).having("broken") == FLAWS[plant]


def test_a_lie_names_its_session_by_the_claim_that_counts(
    run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_gateway_takes_alg_none(monkeypatch)
    with Stack(SessionClaim="https://example.com/id") as stack:
        assert run(stack).having("broken") == {UNSIGNED}


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize("given", ["access_token", "token", "guest_ticket"])
def test_whatever_the_status_something_given_is_no_refusal(
    stack: Stack, run: RunCanary, status: int, given: str
) -> None:
    plan = Planned(status=status, body={given: "czs_made_up"})
    stack.faults.next["/guest/token"] = [plan]
    assert run(stack).having("broken") == {FORGED}


def test_what_is_broken_is_critical_and_says_so_first(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged_tickets_are_believed(monkeypatch)
    loudest = [line for line in run(stack).lines if line.levelname == "CRITICAL"]
    assert [line.getMessage() for line in loudest] == [
        f"IsolationBroken: {FORGED}: a token was given (200) where 401 or 403 was due"
    ]


def test_a_flaw_is_told_though_everything_else_fails(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged_tickets_are_believed(monkeypatch)
    stack.faults.next["/backend/token"] = stack.faults.next["/token"] = lambda: HANG_UP
    assert run(stack).metrics == {"IsolationBroken": 1}


def test_a_flaw_is_told_though_the_canary_itself_fails_after_it(
    stack: Stack, run: RunCanary, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged_tickets_are_believed(monkeypatch)
    monkeypatch.setattr("coze_sts.canary.isolation.kept_apart", lambda *_: 1 / 0)
    found = run(stack)
    assert found.metrics == {"IsolationBroken": 1}
    assert found.checks["canary"] == "unknown"


def test_there_is_a_flaw_for_every_check_of_a_door_and_of_coze() -> None:
    tokens = {check for check in ALL if check.endswith("gets a token")}
    assert set().union(*FLAWS.values()) == ALL - tokens
