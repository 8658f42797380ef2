"""Real processes on Amazon's engine, and what is left of them when holders die or freeze.

Eight processes ask for the same sessions. Whoever holds a lease is killed, or stopped and continued
later, at moments drawn from a seed; SEED=… draws the same again. All times are the service's own
but for the lease's, which is shorter to make the test shorter.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from coze_sts.cache.decision import TAKE_OVER_SECONDS

from tests.engines import lacking
from tests.herd.fleet import Fleet
from tests.herd.load import owners, run
from tests.herd.orders import Stage
from tests.herd.round import Round, Rows
from tests.herd.stage import stage
from tests.local.coze import CozeStandIn

PROCESSES = 8
ROUNDS = 3
SESSIONS = 3
"""Of each round; every process asks for all of them at once."""

LEASE_SECONDS = 1.2
EXCHANGE_SECONDS = 0.4
CONSTANTS = {"LEASE_SECONDS": LEASE_SECONDS, "MIN_LEASE_SECONDS": 1, "WRITE_SECONDS": 0.2}
RETRY_AFTER_SECONDS = 1
"""A visitor who waited for 4 s is told 503, and asks again after a second."""

MACHINE_SECONDS = 1.5
"""What pauses between polls, a dozen processes and two busy processors may add."""

BOUND_SECONDS = (
    LEASE_SECONDS + TAKE_OVER_SECONDS + EXCHANGE_SECONDS + RETRY_AFTER_SECONDS + MACHINE_SECONDS
)


@pytest.fixture(scope="module")
def coze() -> CozeStandIn:
    coze = CozeStandIn()
    coze.delay_seconds = EXCHANGE_SECONDS
    return coze


@pytest.fixture(scope="module")
def place(coze: CozeStandIn) -> Iterator[Stage]:
    if lack := lacking("dynamodb-local"):
        pytest.skip(lack)
    with stage(coze, constants=CONSTANTS) as place:
        yield place


@pytest.fixture(scope="module")
def fleet(place: Stage) -> Iterator[Fleet]:
    with Fleet(place, processes=PROCESSES) as fleet:
        yield fleet


@pytest.fixture
def rows(place: Stage) -> Iterator[Rows]:
    with Rows.at(place) as rows:
        yield rows


def test_eight_processes_that_ask_at_once_cost_one_exchange(
    fleet: Fleet, coze: CozeStandIn
) -> None:
    measured = run(fleet, coze, kind="service", sessions=["calm"] * PROCESSES)
    assert len({answer.sha256 for answer in measured.answers}) == 1
    assert [exchange.session_name for exchange in coze.exchanges] == ["calm"]


def test_whoever_survives_the_holder_is_answered_in_time_by_their_own_token(
    fleet: Fleet, rows: Rows, coze: CozeStandIn
) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"SEED={seed}")
    leases = 0
    for number in range(ROUNDS):
        played = Round(
            fleet=fleet,
            rows=rows,
            sessions=[f"session-{number}-{index}" for index in range(SESSIONS)],
            rng=random.Random(f"{seed}-{number}"),
            exchange_seconds=EXCHANGE_SECONDS,
        )
        played.play()
        check_answers(played, owner=owners(coze))
        issued = Counter(exchange.session_name for exchange in coze.exchanges)
        for session in played.sessions:
            granted = played.leases(session)
            assert 1 <= granted <= 1 + len(played.blows), played.blows
            assert 1 <= issued[session] <= granted + played.spare_exchanges(session), played.blows
            leases += granted
    assert leases > ROUNDS * SESSIONS, "no lease was taken over: the blows came too late"


def check_answers(played: Round, *, owner: dict[str, str | None]) -> None:
    for answer in played.answers:
        assert answer.sha256 is not None, answer
        assert owner[answer.sha256] == answer.session
        assert played.waited(answer) <= BOUND_SECONDS, (answer, played.blows)
