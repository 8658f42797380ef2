"""Looks at what a flight asks for, before it is done."""

from coze_sts.access_token import State, state
from coze_sts.cache.operations import Acquire, Fail, Failed, Hold, Operation, Sleep

from tests.simulation.rules import check
from tests.simulation.trip import Trip

WAIT_SECONDS = 4
WRITE_SECONDS = 1.5
POST_SECONDS = 8
MIN_POST_SECONDS = 0.5
JITTER_SECONDS = 0.3
MOST_BACK_OFF_SECONDS = 300
ABSURD_SECONDS = 302
EPSILON = 0.01


def check_move(trip: Trip, asked: Operation) -> None:
    """Invariants 8 and 12, and the rules on waiting and giving up."""
    match asked:
        case Acquire():
            _check_acquire(trip)
        case Sleep() if trip.lease is None and not trip.frozen:
            _check_wait(trip, asked)
        case Fail():
            _check_back_off(trip, asked)
            _check_patience(trip)
        case Hold():
            trip.holds += 1
    trip.last_move = asked


def _check_acquire(trip: Trip) -> None:
    token, now = trip.seen.token if trip.seen else None, trip.process.clock()
    fresh = state(token, now=now) is State.FRESH and not trip.rejects_what_it_saw()
    check("8", not fresh, f"{trip.name} tries for the lease of a FRESH row")
    again = isinstance(trip.last_move, Acquire)
    check("wait", not again, f"{trip.name} tries for a lease twice without a pause")


def _check_wait(trip: Trip, asked: Sleep) -> None:
    now = trip.process.clock()
    trip.first_wait = now if trip.first_wait is None else trip.first_wait
    patient = now + asked.seconds - trip.first_wait <= WAIT_SECONDS + EPSILON
    check("wait", patient, f"{trip.name} waits for more than 4 s")
    seen = trip.seen
    stale = seen is not None and state(seen.token, now=now) is State.STALE
    check("12", not stale or not trip.renews(), f"{trip.name} waits with a STALE token in hand")
    left = seen.retry_at / 1000 - now if seen else 0
    vain = 0 < left < ABSURD_SECONDS
    check("wait", not vain, f"{trip.name} waits though nobody may ask for {left:.1f} s")


def _check_back_off(trip: Trip, asked: Fail) -> None:
    last = trip.exchanges[-1] if trip.exchanges else None
    quick = trip.quickly_leased and trip.hold[1] is None and not trip.frozen
    check("back-off", last is not None or not quick, f"{trip.name} backs off, and never asked Coze")
    if trip.frozen or not isinstance(last, Failed):
        return
    seconds = asked.retry_at / 1000 - trip.process.clock()
    wish = min(last.retry_after, MOST_BACK_OFF_SECONDS)
    enough = max(wish, 1) - EPSILON <= seconds <= max(wish, 60) + EPSILON
    check("back-off", enough, f"{trip.name} backs off for {seconds:.1f} s, asked {wish} s")


def _check_patience(trip: Trip) -> None:
    """A miss is tried twice, where it may help and fits."""
    last = trip.exchanges[0] if len(trip.exchanges) == 1 else None
    if trip.frozen or trip.renewal or not isinstance(last, Failed) or not last.error.retryable:
        return
    left = min(POST_SECONDS, trip.lease_until - trip.process.clock() - WRITE_SECONDS)
    after = left - max(last.retry_after, JITTER_SECONDS)
    check("retry", after < MIN_POST_SECONDS, f"{trip.name} gives up with {left:.1f} s left")
