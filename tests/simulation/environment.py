"""What a run is made of, drawn from its seed: most runs have few faults, some have many."""

from dataclasses import dataclass, replace
from random import Random


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Times in seconds; the rest are probabilities: of each operation unless said otherwise."""

    lifetime: int
    sessions: int
    bursts: int
    crowd: int
    crash: float
    freeze: float
    lost_request: float
    lost_reply: float
    doubled: float
    stale: float
    slow: float
    coze_spells: float
    """Of a burst to meet another mood of Coze's; likewise the table's, the secrets' failures."""
    table_spells: float
    secret_spells: float
    vandal: float
    """Of a burst to be preceded by damage to a row."""
    forget: float
    """Of a request to be a DELETE."""
    rejects: float
    """Of a request to reject a token that it got before."""
    rotations: float
    """Of a burst to be preceded by a change of keys."""
    short: float
    """Of a request to have little time."""
    reuse: float
    """Of a request to come to a process that served before."""

    def calm(self) -> "Environment":
        """The same fleet once all faults are over."""
        return replace(self, **dict.fromkeys(_FAULTS, 0.0))


_FAULTS = (
    "crash",
    "freeze",
    "lost_request",
    "lost_reply",
    "doubled",
    "slow",
    "coze_spells",
    "table_spells",
    "secret_spells",
    "vandal",
    "forget",
    "rejects",
    "rotations",
    "short",
)
"""All but stale reads: those are no fault, but how the table is."""


def draw(rng: Random) -> Environment:
    """An environment; each fault is absent from about half of them."""

    def sometimes(share: float, most: float) -> float:
        return rng.uniform(0, most) if rng.random() < share else 0.0

    return Environment(
        lifetime=rng.choice((60, 60, 61, 120, 300, 900, 3600, 86399)),
        sessions=rng.choice((1, 1, 2, 3)),
        bursts=rng.randint(3, 8),
        crowd=rng.choice((1, 2, 3, 5, 8)),
        crash=sometimes(0.4, 0.06),
        freeze=sometimes(0.4, rng.choice((0.05, 0.2))),
        lost_request=sometimes(0.4, 0.08),
        lost_reply=sometimes(0.5, 0.08),
        doubled=sometimes(0.5, 0.2),
        stale=sometimes(0.6, 0.5),
        slow=sometimes(0.4, 0.2),
        coze_spells=sometimes(0.6, 0.8),
        table_spells=sometimes(0.3, 0.5),
        secret_spells=sometimes(0.2, 0.5),
        vandal=sometimes(0.25, 0.5),
        forget=sometimes(0.15, 0.2),
        rejects=sometimes(0.4, 0.5),
        rotations=sometimes(0.25, 0.6),
        short=sometimes(0.3, 0.5),
        reuse=rng.choice((0.3, 0.7, 1.0)),
    )
