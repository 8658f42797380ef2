"""Looks at what each caller gets."""

from collections.abc import Mapping

from coze_sts.access_token import AccessToken, min_left
from coze_sts.cache.operations import Failed, Table
from coze_sts.errors import SlowDown, StsError

from tests.simulation.rules import check
from tests.simulation.trip import Trip
from tests.simulation.upstream import Granted
from tests.simulation.watch_fleet import check_told

LAST_SECONDS = 5
MARGIN_SECONDS = 0.5
HURRY_SECONDS = 2.7
"""With less than this left, a call to the table might take too long."""
SKEW = 1.0
EPSILON = 0.01
STALE_SECONDS = 2
"""How old a read may be."""


class AnswerWatch:
    """Invariants 1, 2, 11, 12, 13 and 14 at the end of every request."""

    def __init__(
        self,
        *,
        granted: Mapping[str, Granted],
        forced: Mapping[str, object],
        meddled_at: Mapping[str, float],
    ) -> None:
        self._forced = forced
        self._granted = granted
        self._meddled_at = meddled_at
        self.minted: dict[str, AccessToken] = {}

    def served(self, trip: Trip, token: AccessToken) -> None:
        self._check_token(trip, token)
        self._check_life(trip, token)
        if trip.stale is not None:
            newer = token.value == trip.stale.value or token.issued_at >= trip.stale.issued_at
            check("12", newer, f"{trip.name} got an older token than the one it saw")
        if trip.brought is not None:
            own = token.value == trip.brought.value
            check("13", own, f"{trip.name} did not get the token that it brought")
        rejected = token.sha256 == trip.rejected
        check("12", not rejected, f"{trip.name} got the very token that it rejected")
        self._check_end(trip)

    def _check_token(self, trip: Trip, token: AccessToken) -> None:
        granted = self._granted[token.value]
        check("1", granted.session == trip.session, f"{trip.name} got another session's token")
        minted = self.minted[token.value]
        same = (minted.issued_at, minted.expires_at, minted.refresh_at, minted.kid) == (
            token.issued_at,
            token.expires_at,
            token.refresh_at,
            token.kid,
        )
        check("14", same, f"{trip.name} got a token with times that nobody wrote")
        check("1", token.expires_at <= granted.expires_at, f"{trip.name} is told a longer life")

    def _check_life(self, trip: Trip, token: AccessToken) -> None:
        left = token.expires_at - trip.process.clock()
        check("2", left >= LAST_SECONDS, f"{trip.name} got a token with {left:.2f} s left")
        enough = left >= min_left(token.expires_at - token.issued_at)
        grace = trip.process.grace
        excused = trip.trouble or trip.frozen or grace.get(trip.pk) == token.value
        excused = excused or _waited_in_vain(trip)
        check("2", enough or excused, f"{trip.name} got a token with {left:.2f} s left, unasked")
        if not enough:
            grace[trip.pk] = token.value

    def refused(self, trip: Trip, error: StsError) -> None:
        now = trip.process.clock()
        lost = trip.stale is not None and trip.stale.expires_at - now >= LAST_SECONDS
        meddled = self._meddled_at.get(trip.pk, 0) > trip.began - STALE_SECONDS
        stale = f"{trip.name} is refused ({error.code}) with a STALE token at hand"
        check("12", not lost or meddled, stale)
        kept = trip.brought is None or trip.brought.expires_at - now < LAST_SECONDS
        check("13", kept, f"{trip.name} is refused ({error.code}) with a new token in hand")
        tried = trip.exchanges or trip.spent is False or not trip.blind
        excused = trip.frozen or now - trip.started > trip.remaining - 2.5
        check("fail open", bool(tried) or excused, f"{trip.name} gave up on a table that failed")
        if isinstance(error, SlowDown):
            check("5", trip.rejected in self._forced, f"{trip.name} is told to slow down")
        self._check_end(trip)

    def _check_end(self, trip: Trip) -> None:
        spent = trip.process.clock() - trip.started
        in_time = spent <= trip.remaining - MARGIN_SECONDS + EPSILON or trip.frozen
        check("11", in_time, f"{trip.name} took {spent:.2f} of {trip.remaining} s")
        hurried = spent > trip.remaining - HURRY_SECONDS
        tidy = trip.lease is None or trip.ended_lease or trip.frozen or hurried
        check("10", tidy, f"{trip.name} left its lease behind")
        check_told(trip)
        if trip.writes and not trip.frozen:
            self._check_writes(trip)

    def _check_writes(self, trip: Trip) -> None:
        again = trip.writes[0] is not Table.FAILED or len(trip.writes) == 2
        check("13", again or trip.is_late, f"{trip.name} tried only once to write")


def in_trouble(result: object) -> bool:
    """Whether an operation's result excuses a token in its last minutes."""
    return result is Table.FAILED or isinstance(result, Failed)


def _waited_in_vain(trip: Trip) -> bool:
    """Somebody else's exchange took longer than a waiter waits, or than the request has."""
    now = trip.process.clock()
    if trip.first_wait is None:
        return now - trip.started > trip.remaining - 7
    return now - trip.first_wait > 3.2 or now - trip.started > trip.remaining - 5
