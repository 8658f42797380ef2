"""What is measured beside what, and with which requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.build import HANDLERS, Package, build_libraries, build_official, build_service
from tests.bench.run import UNHINDERED, Conditions, Leg
from tests.bench.stage import OFFICIAL_TABLE, member, newcomer

WARM_REQUESTS = 30
"""Of each kind in each process."""

SERVICE = "this service"
EMPTY = "empty handler"
OFFICIAL = "cozepy, plain sam build"
COMPILED = "cozepy, with bytecode"
SIGNATURE = "one signature"
GET_ITEM = "get_item"
PARTS = "signature, POST, get, two writes"

COLD_HIT, COLD_MISS = "cold table hit", "cold miss"
MEMORY_HIT, TABLE_HIT, MISS = "warm memory hit", "warm table hit", "warm miss"
COLD, WARM = "cold", "warm"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A process: what its first request is called and whose it is, and what follows warm.

    `exchanges` is how many of its requests must reach Coze: one more or fewer, and they were not
    what they are called. None where that is no question.
    """

    cold: str
    first: str
    legs: Sequence[Leg]
    exchanges: int | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A function, and the processes of it that a round starts."""

    name: str
    package: Package
    plans: Sequence[Plan]
    variables: Mapping[str, str] = field(default_factory=dict)
    conditions: Conditions = UNHINDERED


def subjects(folder: Path) -> list[Subject]:
    """All of them, built into `folder`."""
    service = build_service(folder)
    plain, compiled = build_official(folder)
    libraries = build_libraries(folder)
    table = {"TOKEN_TABLE": OFFICIAL_TABLE}
    parts = [
        Subject(name=name, package=Package(task=HANDLERS / of, layer=libraries), plans=[BARE])
        for name, of in ((SIGNATURE, "signature"), (GET_ITEM, "get_item"), (PARTS, "parts"))
    ]
    return [
        Subject(name=EMPTY, package=Package(task=HANDLERS / "empty"), plans=[BARE]),
        Subject(name=SERVICE, package=service, plans=[FOUND_TWICE, MISSED]),
        Subject(name=OFFICIAL, package=plain, plans=[FOUND, MISSED], variables=table),
        Subject(name=COMPILED, package=compiled, plans=[FOUND, MISSED], variables=table),
        *parts,
    ]


_MEMBERS = [member(number) for number in range(1, WARM_REQUESTS + 1)]
_NEWCOMERS = [newcomer(number) for number in range(1, WARM_REQUESTS + 1)]
_FROM_TABLE = Leg(name=TABLE_HIT, sessions=_MEMBERS)
_FROM_MEMORY = Leg(name=MEMORY_HIT, sessions=[member(0)] * WARM_REQUESTS)

BARE = Plan(cold=COLD, first=member(0), legs=[Leg(name=WARM, sessions=_MEMBERS)])
FOUND = Plan(cold=COLD_HIT, first=member(0), legs=[_FROM_TABLE], exchanges=0)
FOUND_TWICE = Plan(cold=COLD_HIT, first=member(0), legs=[_FROM_TABLE, _FROM_MEMORY], exchanges=0)
MISSED = Plan(
    cold=COLD_MISS,
    first=newcomer(0),
    legs=[Leg(name=MISS, sessions=_NEWCOMERS)],
    exchanges=1 + WARM_REQUESTS,
)
