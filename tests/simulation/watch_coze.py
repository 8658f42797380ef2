"""Looks at every exchange as it begins and ends."""

from collections.abc import Callable, Mapping

from coze_sts.access_token import AccessToken
from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.operations import Exchange, Failed

from tests.simulation.process import Process
from tests.simulation.rules import check
from tests.simulation.trip import Trip

SKEW = 2.0
WRITE_SECONDS = 1.5
POST_SECONDS = 8
RENEWAL_SECONDS = 2.5
MOST_SECONDS = 302
FORCED_SECONDS = 60
BURST, EVERY_SECONDS = 3, 5
EPSILON = 0.01


class CozeWatch:
    """Invariants 4, 5 and 12 and the manners towards Coze; `true_time` gives UNIX seconds."""

    def __init__(
        self, *, true_time: Callable[[], float], meddled_at: Mapping[str, float], lifetime: float
    ) -> None:
        self._true_time = true_time
        self._meddled_at = meddled_at
        self._forced_seconds = min(FORCED_SECONDS, 0.6 * lifetime) - SKEW - 1
        self._leased: dict[str, tuple[Trip, float]] = {}
        self.forced: dict[str, tuple[float, Process | None]] = {}
        """By digest of a token that replaced a rejected one: when, and by whom alone."""

    def begins(self, trip: Trip, asked: Exchange) -> None:
        check("4", asked.seconds > 0, f"{trip.name} begins an exchange with no time left")
        check("4", asked.seconds <= POST_SECONDS, f"{trip.name} asks for {asked.seconds:.1f} s")
        self._check_wishes(trip)
        self._check_retry(trip)
        self._check_storm(trip)
        if trip.lease is None:
            self._check_allowance(trip)
            return
        self._check_lease(trip, asked)
        if trip.renews():
            patient = asked.seconds <= RENEWAL_SECONDS and not trip.exchanges
            check("12", patient, f"{trip.name} lets a caller with a STALE token wait")

    def _check_wishes(self, trip: Trip) -> None:
        until, error = trip.hold
        if trip.fleet is not None and trip.fleet.error != UNKNOWN_KEY and not trip.table_failed:
            until, error = trip.fleet.until, trip.fleet.error
        left = until / 1000 - trip.process.clock()
        rule = "17" if error == UNKNOWN_KEY else "back-off"
        held = 0 < left < MOST_SECONDS
        check(rule, not held or trip.frozen, f"{trip.name} asks {left:.1f} s before a hold ends")

    def _check_retry(self, trip: Trip) -> None:
        if not trip.exchanges:
            return
        before = trip.exchanges[-1]
        mended = isinstance(before, Failed) and before.error.retryable
        check("retry", mended and len(trip.exchanges) == 1, f"{trip.name} asks once more")
        if isinstance(before, Failed):
            waited = self._true_time() - trip.last_answer
            enough = waited >= before.retry_after - EPSILON
            check("back-off", enough, f"{trip.name} asks again after {waited:.1f} s")

    def _check_storm(self, trip: Trip) -> None:
        at, process = self.forced.get(trip.rejected or "", (float("-inf"), None))
        known = process is trip.process if trip.lease is None else trip.rejects_what_it_saw()
        meddled = self._meddled_at.get(trip.pk, 0) > at
        ago = self._true_time() - at
        calm = not known or meddled or ago >= self._forced_seconds
        check("5", calm, f"{trip.name} replaces a token that was forced {ago:.1f} s ago")

    def _check_allowance(self, trip: Trip) -> None:
        times = trip.process.direct
        times.append(trip.spent_at)
        most = BURST + (times[-1] - times[0]) / EVERY_SECONDS + EPSILON
        check("fail open", len(times) <= most, f"{trip.name} exceeds its process's allowance")
        check("fail open", trip.table_failed, f"{trip.name} asks Coze without a lease")

    def _check_lease(self, trip: Trip, asked: Exchange) -> None:
        left = trip.lease_until - trip.process.clock() - WRITE_SECONDS
        inside = asked.seconds <= left + EPSILON or trip.frozen
        check("4", inside, f"{trip.name} may ask {asked.seconds - left:.1f} s past its lease")
        now = self._true_time()
        other, until = self._leased.get(trip.pk, (trip, now))
        ended = until <= now + EPSILON or other.crashed
        frozen = other.outlived_its_lease() or trip.outlived_its_lease()
        meddled = self._meddled_at.get(trip.pk, 0) > min(trip.began, other.began)
        alone = other is trip or ended or frozen or meddled
        check("4", alone, f"{trip.name} asks Coze while {other.name} does")

    def lasts(self, trip: Trip, *, until: float) -> None:
        """How long the exchange that began lasts, as a true time."""
        if trip.lease is not None:
            self._leased[trip.pk] = (trip, until)

    def ends(self, trip: Trip, answer: object) -> None:
        """Notes a token that took the place of a rejected one."""
        if not isinstance(answer, AccessToken) or trip.rejected is None:
            return
        if trip.lease is None:
            self.forced[answer.sha256] = (trip.exchange_began, trip.process)
        elif trip.rejects_what_it_saw():
            self.forced[answer.sha256] = (trip.exchange_began, None)
