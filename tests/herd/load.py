"""A load: requests let go at once over all processes, and what is measured of it."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.herd.fleet import Fleet
from tests.herd.orders import Answer, Kind
from tests.local.coze import CozeStandIn

HEAD_START_SECONDS = 1.5
"""For the threads to be there when the time comes."""

PATIENCE_SECONDS = 15
"""How long a visitor asks again where the answer is 503, each time after its Retry-After."""

WITHIN_SECONDS = 240


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a load came to. `own`: no token was of another session than the one that asked."""

    at: float
    slower: float
    answers: list[Answer]
    exchanges: int
    own: bool

    @property
    def served(self) -> int:
        return sum(answer.sha256 is not None for answer in self.answers)

    @property
    def again(self) -> int:
        """How many were served when they had asked again."""
        return sum(bool(answer.refusals and answer.sha256) for answer in self.answers)

    @property
    def failures(self) -> set[str]:
        """Why some were not served."""
        return {answer.refusals[-1] for answer in self.answers if answer.sha256 is None}

    def percentile(self, share: float) -> float:
        """Seconds of the service since all were let go, which this share of them kept to."""
        times = sorted((answer.answered_at - self.at) / self.slower for answer in self.answers)
        return times[max(math.ceil(share * len(times)) - 1, 0)]


def run(fleet: Fleet, coze: CozeStandIn, *, kind: Kind, sessions: Sequence[str]) -> Measured:
    """Asks for all of these at once, spread evenly over the processes."""
    seen = len(coze.exchanges)
    at = time.time() + HEAD_START_SECONDS
    numbered = list(enumerate(sessions))
    for index, worker in enumerate(fleet.workers):
        if mine := numbered[index :: len(fleet.workers)]:
            worker.ask(mine, kind=kind, at=at, patience=PATIENCE_SECONDS)
    deadline = at + WITHIN_SECONDS
    answers = [fleet.answer(within=deadline - time.time()) for _ in sessions]
    owner = owners(coze)
    return Measured(
        at=at,
        slower=fleet.stage.slower,
        answers=answers,
        exchanges=len(coze.exchanges) - seen,
        own=all(owner[a.sha256] == a.session for a in answers if a.sha256 is not None),
    )


def owners(coze: CozeStandIn) -> dict[str, str | None]:
    """Whose session each token was issued for, by its digest, as the stand-in's records say."""
    tokens = dict(coze.tokens)
    return {
        hashlib.sha256(token.encode()).hexdigest(): record.session_name
        for token, record in tokens.items()
    }
