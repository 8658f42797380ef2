"""What is said between the test and the processes of its fleet, as lines of JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

Kind = Literal["service", "sdk"]


class Line:
    """A value that is one line."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


@dataclass(frozen=True, kw_only=True)
class Stage(Line):
    """All that a process needs to be one of the fleet.

    `table_seconds` is how long one call to the table may take; `constants` replace the service's.
    A second of the service lasts `slower` seconds, counted from `begun_at` (UNIX seconds).
    """

    coze: Mapping[str, str] = field(repr=False)
    table_url: str
    table: str
    table_seconds: float
    constants: Mapping[str, float]
    slower: float
    begun_at: float


@dataclass(frozen=True, kw_only=True)
class Order(Line):
    """Ask for these sessions' tokens, each with its number, all at the time `at` (UNIX seconds).

    Whoever is told to come again does so for `patience` seconds of the service.
    """

    kind: Kind
    at: float
    patience: float
    asks: list[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Answer(Line):
    """What one request came to; times in UNIX seconds, `refusals` the reason of each 503."""

    number: int
    session: str
    asked_at: float
    answered_at: float
    sha256: str | None
    source: str | None
    refusals: list[str]
