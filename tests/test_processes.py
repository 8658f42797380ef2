"""Real processes on Amazon's engine, and what is left of them when holders die or freeze.

Eight processes ask for the same sessions. Whoever holds a lease is killed, or stopped and continued
later, at a moment drawn by a seed. Times are those of the service, but for a shorter lease: nobody
wants to wait for 12 s, twelve times.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from coze_sts.cache.decision import TAKE_OVER_SECONDS
from coze_sts.cache.row import Row
from coze_sts.cache.store import TokenStore

from tests.engines import client_of, lacking
from tests.herd.clients import pk_of
from tests.herd.fleet import Fleet, Worker
from tests.herd.load import owners
from tests.herd.orders import Answer, Stage
from tests.herd.stage import stage
from tests.local.coze import CozeStandIn

PROCESSES = 8
ROUNDS = 4
SESSIONS = 3
"""In each round; a process asks for all of them at once."""

LEASE_SECONDS = 1.2
EXCHANGE_SECONDS = 0.4
CONSTANTS = {"LEASE_SECONDS": LEASE_SECONDS, "MIN_LEASE_SECONDS": 1, "WRITE_SECONDS": 0.2}
RETRY_AFTER_SECONDS = 1
"""A visitor who waited for 4 s is told 503, and asks again after a second."""

MACHINE_SECONDS = 1.5
"""What polling, a dozen processes and two busy processors may add."""

BOUND_SECONDS = (
    LEASE_SECONDS + TAKE_OVER_SECONDS + EXCHANGE_SECONDS + RETRY_AFTER_SECONDS + MACHINE_SECONDS
)
PATIENCE_SECONDS = 30


@dataclass(kw_only=True)
class Round:
    """One round's sessions, answers, and the times at which something ended being wrong."""

    sessions: list[str]
    faults: list[float] = field(default_factory=list)
    frozen: set[int] = field(default_factory=set)
    answers: dict[int, Answer] = field(default_factory=dict)


@pytest.fixture(scope="module")
def coze() -> CozeStandIn:
    return CozeStandIn()


@pytest.fixture(scope="module")
def place(coze: CozeStandIn) -> Iterator[Stage]:
    if lack := lacking("dynamodb-local"):
        pytest.skip(lack)
    with stage(coze, constants=CONSTANTS) as place:
        coze.delay_seconds = EXCHANGE_SECONDS
        yield place


@pytest.fixture(scope="module")
def fleet(place: Stage) -> Iterator[Fleet]:
    with Fleet(place, processes=PROCESSES) as fleet:
        yield fleet


@pytest.fixture
def row(place: Stage) -> Iterator[Callable[[str], Row | None]]:
    """A session's row."""
    with closing(client_of(place.table_url)) as client:
        store = TokenStore(client=client, table=place.table)
        yield lambda session: store.read(pk_of(session, stage=place), fleet_pk="c1#")[0]
