"""Coze: slow, failing, rate-limiting, or ignorant of a key; and it remembers what it granted."""

import json
from dataclasses import dataclass
from enum import Enum
from random import Random

from coze_sts.web import WebAnswer

HOST = "coze"


class Mood(Enum):
    """How Coze answers for a while."""

    WELL = "well"
    SLOW = "slow"
    HANGING = "hanging"
    FAILING = "failing"
    LIMITING = "limiting"
    REFUSING = "refusing"
    GARBLED = "garbled"


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A token as Coze remembers it; times are true."""

    session: str
    kid: str
    expires_at: int


class Coze:
    """The token endpoint; `kids` are the keys it knows."""

    def __init__(self, *, rng: Random, duration: int) -> None:
        self._rng = rng
        self._duration = duration
        self.mood = Mood.WELL
        self.kids: set[str] = set()
        self.granted: dict[str, Granted] = {}

    def post(self, *, session: str, kid: str, now: float) -> tuple[WebAnswer | None, float]:
        """An answer and the seconds that it takes; None where none comes."""
        took = self._seconds()
        if self.mood is Mood.HANGING:
            if self._rng.random() < 0.3:
                self._grant(session, kid=kid, now=now)
            return None, took
        if kid not in self.kids and self.mood in (Mood.WELL, Mood.SLOW):
            body = {"error_code": "invalid_client", "error_message": "kid not been registred"}
            return _answer(401, body), took
        if self.mood in (Mood.WELL, Mood.SLOW):
            return self._grant(session, kid=kid, now=now + took / 2), took
        return self._refusal(), took

    def _seconds(self) -> float:
        if self.mood is Mood.SLOW:
            return self._rng.uniform(1, 12)
        return self._rng.uniform(0.05, 0.5)

    def _grant(self, session: str, *, kid: str, now: float) -> WebAnswer:
        value = f"czs_{len(self.granted)}"
        expires_at = int(now) + self._duration
        self.granted[value] = Granted(session=session, kid=kid, expires_at=expires_at)
        return _answer(200, {"access_token": value, "expires_in": expires_at})

    def _refusal(self) -> WebAnswer:
        match self.mood:
            case Mood.FAILING:
                status = self._rng.choice((408, 500, 502, 503, 504))
                return _answer(status, {}, retry_after=self._rng.choice((0, 0, 1, 20)))
            case Mood.LIMITING:
                return _answer(429, {}, retry_after=self._rng.choice((0, 1, 2, 30, 400)))
            case Mood.REFUSING:
                return _answer(403, {"error_code": "access_deny", "error_message": "no"})
        return _answer(200, {"ok": True})


def _answer(status: int, body: dict[str, object], *, retry_after: int = 0) -> WebAnswer:
    headers = {"retry-after": str(retry_after)} if retry_after else {}
    return WebAnswer(status=status, headers=headers, body=json.dumps(body).encode())
