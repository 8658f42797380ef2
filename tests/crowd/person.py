"""One of the crowd: somebody with sign-ins, a browser and a server of their own."""

import hashlib
import itertools
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from tests.crowd.door import Answer, Call, CutOff
from tests.crowd.place import Entrance, Place
from tests.crowd.referee import Sighting, Whose

TRIES = 4
AGAIN = {429, 502, 503}
"""What the README tells a page to ask again after."""

PATIENCE_SECONDS = 3
"""A page that is to wait for longer keeps the token it has."""


@dataclass(kw_only=True)
class Person:
    """Somebody. `ticket` and `sign_ins` (by route) are their browser's.

    `seen` holds the last token of each session that they asked for.
    """

    name: str
    rng: random.Random
    place: Place
    neighbours: Sequence["Person"] = ()
    ticket: str | None = None
    sign_ins: dict[str, str] = field(default_factory=dict)
    seen: dict[Whose, str] = field(default_factory=dict)

    def neighbour(self) -> "Person":
        """Somebody else."""
        other = self.rng.choice(self.neighbours)
        return other if other is not self else self.neighbour()

    def entrance(self) -> Entrance:
        """One of the issuers that they may sign in with."""
        return self.rng.choice(self.place.entrances)

    def digest(self, owner: Whose) -> dict[str, str]:
        """What a page adds when Coze refused its token: now and then it did, or a liar says so."""
        drawn = self.rng.random()
        if drawn < 0.05 and owner in self.seen:
            return {"rejected_token": hashlib.sha256(self.seen[owner].encode()).hexdigest()}
        return {"rejected_token": self.rng.randbytes(32).hex()} if drawn > 0.95 else {}

    def get(self, call: Call, *, anew: Callable[[], Call] | None = None) -> Answer | None:
        """Asks for what is theirs; None where it was in vain.

        `anew` makes the call of another try, where the same would not do.
        """
        again = iter(anew, None) if anew else itertools.repeat(call)
        answer = self._persist(itertools.chain([call], again))
        if answer is None:
            self.place.notes.count("in vain")
        elif answer.status not in {200, 204}:
            self.place.notes.odd.append(f"{call.route}: {answer.status} for what is theirs")
        else:
            return answer
        return None

    def get_token(
        self, call: Call, *, owner: Whose, anew: Callable[[], Call] | None = None
    ) -> Answer | None:
        """Asks for a token, which should be of this session."""
        answer = self.get(call, anew=anew)
        if answer is not None:
            self.see(answer, owner=owner, route=call.route)
        return answer

    def intrude(self, call: Call, *, refusals: Collection[int], how: str) -> None:
        """Asks for what is not theirs: to be told one of these statuses, and never a token."""
        notes = self.place.notes
        answer = self._persist(itertools.repeat(call))
        if answer is None:
            notes.count("hostile, not heard")
        elif answer.token:
            notes.odd.append(f"{how}: answered with a token")
            notes.count("hostile, answered with a token")
        elif answer.status not in refusals:
            notes.odd.append(f"{how}: {answer.status}")
        else:
            notes.count("hostile, refused")
            notes.count(f"refused: {how}")

    def see(self, answer: Answer, *, owner: Whose, route: str) -> None:
        """Notes the token of an answer; one without is odd."""
        body = answer.body
        token, expires_at = body.get("access_token"), body.get("expires_at")
        if not isinstance(token, str) or body["token"] != token or type(expires_at) is not int:
            self.place.notes.odd.append(f"{route}: {answer.status} without a token")
            return
        self.note(
            token,
            owner=owner,
            route=route,
            at=answer.at,
            expires_at=expires_at,
            worker=answer.worker,
        )

    def note(
        self, token: str, *, owner: Whose, route: str, at: float, expires_at: int, worker: int
    ) -> None:
        """Notes a token for the referee."""
        self.seen[owner] = token
        seen = Sighting(
            token=token,
            owner=owner,
            also=self.place.guests_of(owner.name),
            route=route,
            at=at,
            expires_at=expires_at,
            worker=worker,
        )
        self.place.notes.sightings.append(seen)

    def _persist(self, calls: Iterator[Call]) -> Answer | None:
        """Sent again as a page would, to whichever worker; None where it was in vain."""
        door, notes = self.place.door, self.place.notes
        for call in itertools.islice(calls, TRIES):
            try:
                answer = door.send(call, worker=self.rng.randrange(len(door.ports)))
            except CutOff as reason:
                notes.count(f"cut off: {reason}", route=call.route)
                continue
            notes.count(f"answered {answer.status}", route=call.route)
            if answer.status not in AGAIN:
                return answer
            if answer.retry_after > PATIENCE_SECONDS:
                return None
            time.sleep(max(answer.retry_after, 0.1) * self.rng.uniform(1, 1.5))
        return None
