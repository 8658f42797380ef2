"""A flight over scripts of results: what it asks for, in which order, within which time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from random import Random
from typing import Any, TypeVar

import pytest
from coze_sts.access_token import AccessToken, outlives
from coze_sts.broker import fly
from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.leader import TABLE_SECONDS
from coze_sts.cache.lease import Flight
from coze_sts.cache.operations import (
    Acquire,
    Complete,
    Exchange,
    Fail,
    Failed,
    Hold,
    Operation,
    Probe,
    Read,
    Refused,
    Seen,
    Served,
    Sleep,
    Source,
    Spend,
    Table,
)
from coze_sts.errors import (
    StsError,
    TemporarilyUnavailable,
    UnknownKey,
    UpstreamRejected,
    UpstreamUnavailable,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, Clock, make_token

TOKEN, NEW = make_token(), make_token("czs_new")
DOWN = Failed(error=UpstreamUnavailable("down"))
REFUSAL = Failed(error=UpstreamRejected("no"))
STALE_AT, GRACE_AT = NOW + 2200, NOW + 3590
T = TypeVar("T", bound=Operation)
Reply = Callable[[Operation, Clock], object]


@dataclass(kw_only=True)
class Trip:
    """What was asked, and when; how it ended."""

    asked: list[Operation] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    served: Served | None = None
    error: StsError | None = None
    ended: float = 0.0

    @property
    def kinds(self) -> list[type[Operation]]:
        return [type(operation) for operation in self.asked]

    def all(self, kind: type[T]) -> list[T]:
        return [operation for operation in self.asked if isinstance(operation, kind)]

    def the(self, kind: type[T]) -> T:
        (only,) = self.all(kind)
        return only

    def got(self, token: AccessToken, source: Source) -> bool:
        return self.served == Served(token=token, source=source)


def trip(
    *script: object,
    now: float = NOW,
    seconds: float = 14,
    rejected: str | None = None,
    seed: int = 0,
    then: object = None,
) -> Trip:
    """Flies with these results for whatever is not a Sleep, and then with `then` for ever.

    Time passes in a Sleep and where a result says so.
    """
    clock, numbers, way = Clock(now), count(), Trip()
    results: Iterator[object] = iter(script)

    def perform(operation: Operation) -> object:
        way.asked.append(operation)
        way.at.append(clock.now)
        assert len(way.asked) < 200, "it never ends"
        if isinstance(operation, Sleep):
            clock.now += operation.seconds
            return Table.DONE
        result = next(results, then)
        assert result is not None, f"the script has no result for {operation}"
        return result(operation, clock) if callable(result) else result

    flight = Flight(
        clock=clock,
        deadline=now + seconds,
        rejected=rejected,
        rng=Random(seed),
        new_lease_id=lambda: f"mine-{next(numbers)}",
    )
    try:
        way.served = fly(flight, perform=perform)
    except StsError as error:
        way.error = error
    way.ended = clock.now
    return way


def after(seconds: float, result: object) -> Reply:
    """The result, so many seconds later."""

    def reply(operation: Operation, clock: Clock) -> object:
        clock.now += seconds
        return result(operation, clock) if callable(result) else result

    return reply


def taken(seen: Seen, *, at: float) -> Seen:
    """The row with a lease that somebody else took at that time."""
    return replace(seen, lease_id="other", lease_until=ms(at + 12))


def mine(seen: Seen) -> Reply:
    """The row with the lease that is asked for."""

    def reply(operation: Operation, _clock: Clock) -> Seen:
        assert isinstance(operation, Acquire)
        return replace(seen, lease_id=operation.lease_id, lease_until=operation.lease_until)

    return reply


def ms(seconds: float) -> int:
    return int(seconds * 1000)


NONE, HELD = Seen(), Seen(token=TOKEN, gen=7)
GRANTED = mine(Seen(gen=1))
BUSY = taken(Seen(gen=1), at=NOW)
FRESH = Seen(token=NEW, gen=2)


# Who leads


def test_the_first_to_ask_leads_and_writes_what_it_brings() -> None:
    way = trip(NONE, GRANTED, NEW, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Complete]
    assert way.got(NEW, Source.EXCHANGED)
    assert way.the(Complete) == Complete(lease_id="mine-0", token=NEW)
    assert way.the(Acquire) == Acquire(
        lease_id="mine-0", lease_until=ms(NOW + 12), over=None, seen_gen=None
    )


def test_a_fresh_token_costs_one_read() -> None:
    way = trip(HELD)
    assert (way.kinds, way.got(TOKEN, Source.TABLE)) == ([Read], True)


def test_a_lease_that_the_sdk_asked_for_twice_is_held_and_not_waited_for() -> None:
    """After a lost reply our own lease stands in our way."""

    def refused(operation: Operation, clock: Clock) -> Refused:
        return Refused(seen=mine(NONE)(operation, clock))

    way = trip(NONE, refused, NEW, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Complete]


def test_who_loses_the_race_gets_the_row_free() -> None:
    way = trip(Seen(gen=1), Refused(seen=FRESH))
    assert (way.kinds, way.got(NEW, Source.TABLE)) == ([Read, Acquire], True)
    for row in (taken(HELD, at=STALE_AT), HELD):
        stale = trip(HELD, Refused(seen=row), now=STALE_AT)
        assert stale.kinds == [Read, Acquire]
        assert stale.got(TOKEN, Source.STALE)


def test_who_loses_the_race_waits_for_the_winners_token() -> None:
    way = trip(NONE, Refused(seen=BUSY), BUSY, BUSY, FRESH)
    assert way.kinds == [Read, Acquire, *[Sleep, Read] * 3]
    assert way.got(NEW, Source.WAITED)


def test_who_is_refused_without_a_lease_in_the_way_waits_before_it_tries_again() -> None:
    way = trip(NONE, Refused(seen=NONE), NONE, GRANTED, NEW, Table.DONE)
    assert way.kinds == [Read, Acquire, Sleep, Read, Acquire, Exchange, Complete]
    assert [lease.lease_id for lease in way.all(Acquire)] == ["mine-0", "mine-1"]


def test_a_waiter_takes_over_from_a_holder_that_died() -> None:
    dies = replace(BUSY, lease_until=ms(NOW - 1))

    def still(operation: Operation, _clock: Clock) -> object:
        return mine(dies)(operation, _clock) if isinstance(operation, Acquire) else dies

    way = trip(
        *[dies] * 4, still, then=lambda o, c: NEW if isinstance(o, Exchange) else still(o, c)
    )
    taken_over = way.the(Acquire)
    assert taken_over.over == "other"
    at = way.at[way.asked.index(taken_over)]
    assert NOW + 1 < at < NOW + 2


# Time


@given(st.integers(0, 10**6))
def test_a_waiter_polls_half_a_second_apart_for_four_seconds(seed: int) -> None:
    way = trip(then=BUSY, seed=seed)
    for n, pause in enumerate(way.all(Sleep)):
        middle = min(0.1 * 1.5**n, 0.5)
        assert middle / 2 <= pause.seconds <= middle * 1.5
    assert way.kinds == [Read, *[Sleep, Read] * (len(way.asked) // 2)]
    assert 3.25 <= way.ended - NOW <= 4
    assert isinstance(way.error, TemporarilyUnavailable)
    assert way.error.retry_after == 1


def test_two_waiters_do_not_poll_together() -> None:
    ways = [trip(then=BUSY, seed=seed).all(Sleep)[:5] for seed in range(20)]
    assert len({tuple(pause.seconds for pause in way) for way in ways}) == 20


@pytest.mark.parametrize("seconds", [14, 6, 3.4, 1, 0.5, 0, -1])
def test_no_wait_outlasts_the_request(seconds: float) -> None:
    way = trip(then=BUSY, seconds=seconds)
    assert way.ended - NOW <= min(4, max(seconds, 0))
    assert isinstance(way.error, TemporarilyUnavailable)


@pytest.mark.parametrize(("seconds", "lease"), [(20, 12), (14, 12), (12.5, 12), (9, 8.5), (3.5, 3)])
def test_a_lease_is_never_longer_than_its_request(seconds: float, lease: float) -> None:
    way = trip(NONE, GRANTED, NEW, Table.DONE, seconds=seconds)
    assert way.the(Acquire).lease_until == ms(NOW + lease)


def test_a_request_without_time_for_an_exchange_leaves_the_lease_to_others() -> None:
    assert Acquire not in trip(then=NONE, seconds=3.4).kinds
    way = trip(then=HELD, seconds=3.4, now=GRACE_AT)
    assert way.got(TOKEN, Source.STALE)
    assert way.ended < GRACE_AT + 3.4


@pytest.mark.parametrize(
    ("seconds", "reading", "acquiring", "post"),
    [(14, 0, 0, 8), (14, 0, 4, 6.5), (14, 4, 0, 8), (9, 0, 0, 7), (9, 1, 1, 5), (3.5, 0, 0, 1.5)],
)
def test_an_exchange_leaves_time_to_write_what_it_brings(
    *, seconds: float, reading: float, acquiring: float, post: float
) -> None:
    """Measured again after the lease was granted."""
    way = trip(after(reading, NONE), after(acquiring, GRANTED), NEW, Table.DONE, seconds=seconds)
    assert way.the(Exchange).seconds == pytest.approx(post, abs=0.01)


# The exchange fails


@pytest.mark.parametrize("failed", [DOWN, REFUSAL, Failed(error=DOWN.error, retry_after=1)])
def test_a_renewal_is_tried_once_for_a_moment_and_costs_nobody_the_token(failed: Failed) -> None:
    way = trip(HELD, mine(HELD), failed, Table.DONE, now=STALE_AT)
    assert way.kinds == [Read, Acquire, Exchange, Fail]
    assert way.the(Exchange).seconds == 2.5
    assert way.got(TOKEN, Source.STALE)


def test_a_miss_is_tried_twice_and_no_more() -> None:
    way = trip(NONE, GRANTED, DOWN, NEW, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Sleep, Exchange, Complete]
    assert way.the(Sleep).seconds <= 0.3
    assert way.got(NEW, Source.EXCHANGED)
    gone = trip(NONE, GRANTED, DOWN, DOWN, Table.DONE)
    assert gone.kinds == [Read, Acquire, Exchange, Sleep, Exchange, Fail]
    assert gone.error is DOWN.error


def test_what_coze_refuses_is_not_tried_again() -> None:
    way = trip(NONE, GRANTED, REFUSAL, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Fail]
    assert way.error is REFUSAL.error
    assert way.the(Fail).error == "upstream_rejected"


@pytest.mark.parametrize(
    ("wish", "took", "obeyed"), [(7, 0, True), (6, 2, True), (8, 0, False), (7, 6, False)]
)
def test_cozes_wish_to_wait_is_obeyed_where_it_fits_and_else_noted(
    *, wish: float, took: float, obeyed: bool
) -> None:
    failed = replace(DOWN, retry_after=wish)
    way = trip(NONE, GRANTED, after(took, failed), then=failed)
    if obeyed:
        assert way.the(Sleep).seconds == wish
        assert 0.5 <= way.all(Exchange)[1].seconds == pytest.approx(10.5 - took - wish, abs=0.01)
    else:
        assert way.kinds == [Read, Acquire, Exchange, Fail]
    failed_at = way.at[way.kinds.index(Fail)]
    assert way.the(Fail).retry_at == ms(failed_at + wish)


def test_there_is_no_second_try_without_time_for_one() -> None:
    way = trip(NONE, GRANTED, after(8, DOWN), Table.DONE, seconds=10.3)
    assert way.kinds == [Read, Acquire, Exchange, Fail]


@given(st.integers(0, 12), st.integers(0, 10**6))
def test_the_back_off_doubles_to_a_minute_and_is_spread(fail_n: int, seed: int) -> None:
    row = Seen(gen=1, fail_n=fail_n)
    way = trip(row, mine(row), REFUSAL, Table.DONE, seed=seed)
    most = min(60, 2 ** (fail_n + 1))
    assert most / 2 - 0.001 <= way.the(Fail).retry_at / 1000 - NOW <= most


@pytest.mark.parametrize(("wish", "noted"), [(30, 30), (300, 300), (9999, 300)])
def test_cozes_wish_is_noted_for_five_minutes_at_most(wish: float, noted: float) -> None:
    way = trip(NONE, GRANTED, replace(DOWN, retry_after=wish), Table.DONE)
    assert way.the(Fail).retry_at == ms(NOW + noted)


def test_a_rate_limit_holds_the_fleet_and_nothing_else_does() -> None:
    limited = Failed(error=DOWN.error, retry_after=30, hold_seconds=30)
    way = trip(NONE, GRANTED, limited, Table.DONE, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Fail, Hold]
    assert way.the(Hold) == Hold(until=ms(NOW + 30), error="temporarily_unavailable")
    renewal = trip(HELD, mine(HELD), limited, Table.DONE, Table.DONE, now=STALE_AT)
    assert renewal.got(TOKEN, Source.STALE)
    assert renewal.the(Hold).until == ms(STALE_AT + 30)


# A key that Coze does not know


UNKNOWN = Failed(error=UnknownKey("who?"), hold_seconds=60, unknown_key=True)
HOLD_IS_OVER = {"hold_until": ms(NOW - 1), "hold_error": UNKNOWN_KEY}


def test_an_unknown_key_holds_the_fleet_for_a_minute() -> None:
    way = trip(NONE, GRANTED, UNKNOWN, Table.DONE, Table.DONE)
    assert way.kinds == [Read, Acquire, Exchange, Fail, Hold]
    assert way.the(Hold) == Hold(until=ms(NOW + 60), error=UNKNOWN_KEY)
    assert way.error is UNKNOWN.error


def test_after_the_minute_one_takes_the_fleets_try_and_lifts_the_hold() -> None:
    way = trip(Seen(**HOLD_IS_OVER), GRANTED, Table.DONE, NEW, Table.DONE, Table.DONE)
    assert way.kinds == [Read, Acquire, Probe, Exchange, Complete, Hold]
    assert way.the(Probe) == Probe(seen_until=ms(NOW - 1), until=ms(NOW + 60))
    assert way.the(Hold).error is None
    assert way.got(NEW, Source.EXCHANGED)


@pytest.mark.parametrize("seen", [NONE, HELD])
def test_who_does_not_get_the_fleets_try_does_not_ask_coze(seen: Seen) -> None:
    row = replace(seen, **HOLD_IS_OVER | {"hold_until": ms(GRACE_AT - 1)})
    way = trip(row, mine(seen), Table.FENCED, Table.DONE, now=GRACE_AT)
    assert way.kinds == [Read, Acquire, Probe, Fail]
    if seen.token is None:
        assert isinstance(way.error, UpstreamRejected)
    else:
        assert way.got(TOKEN, Source.STALE)


def test_a_hold_that_cannot_be_asked_for_stops_nobody() -> None:
    way = trip(Seen(**HOLD_IS_OVER), GRANTED, Table.FAILED, NEW, Table.DONE, Table.DONE)
    assert way.got(NEW, Source.EXCHANGED)


def test_the_fleets_try_is_left_to_others_where_the_time_is_over() -> None:
    slow = [after(TABLE_SECONDS, result) for result in (Seen(**HOLD_IS_OVER), GRANTED)]
    way = trip(*slow, seconds=5.6, then=after(TABLE_SECONDS, Table.FAILED))
    assert Probe not in way.kinds
    assert way.ended - NOW <= 5.6 + 0.5


# The table fails


@pytest.mark.parametrize("reads", [[Table.FAILED], [NONE, Table.FAILED], [BUSY, Table.FAILED]])
def test_without_the_table_a_process_asks_by_itself(reads: list[object]) -> None:
    way = trip(*reads, True, NEW)
    assert way.kinds[-2:] == [Spend, Exchange]
    assert way.got(NEW, Source.DIRECT)


def test_without_the_table_a_process_asks_a_little_only() -> None:
    way = trip(Table.FAILED, False)
    assert way.kinds == [Read, Spend]
    assert isinstance(way.error, TemporarilyUnavailable)
    assert way.error.retry_after == 1


def test_without_the_table_coze_is_asked_once_within_what_is_left() -> None:
    way = trip(after(4, Table.FAILED), True, DOWN)
    assert (way.the(Exchange).seconds, way.error) == (8, DOWN.error)
    late = trip(after(9, Table.FAILED), True, NEW)
    assert late.the(Exchange).seconds == 4.5


@pytest.mark.parametrize("now", [STALE_AT, GRACE_AT])
def test_a_token_that_was_read_is_served_when_the_lease_cannot_be_asked_for(now: float) -> None:
    way = trip(HELD, Table.FAILED, now=now)
    assert (way.kinds, way.got(TOKEN, Source.STALE)) == ([Read, Acquire], True)


def test_a_token_that_was_read_is_served_when_the_table_dies_while_we_wait() -> None:
    way = trip(taken(HELD, at=GRACE_AT), Table.FAILED, now=GRACE_AT)
    assert way.kinds == [Read, Sleep, Read]
    assert way.got(TOKEN, Source.STALE)


def test_a_token_is_judged_anew_after_a_table_that_took_seconds_to_fail() -> None:
    now = TOKEN.expires_at - 6
    assert trip(HELD, after(1, Table.FAILED), now=now).got(TOKEN, Source.STALE)
    for script in ([HELD, after(2, Table.FAILED)], [taken(HELD, at=now), after(2, Table.FAILED)]):
        new = replace(NEW, expires_at=TOKEN.expires_at + 3600)
        way = trip(*script, True, new, now=now)
        assert way.got(new, Source.DIRECT)


@pytest.mark.parametrize(
    ("answers", "writes"),
    [
        ([Table.DONE], 1),
        ([Table.FENCED], 1),
        ([Table.FAILED, Table.DONE], 2),
        ([Table.FAILED, Table.FENCED], 2),
        ([Table.FAILED, Table.FAILED], 2),
    ],
)
def test_a_token_in_hand_is_served_whatever_becomes_of_its_row(
    answers: list[Table], writes: int
) -> None:
    way = trip(NONE, GRANTED, NEW, *answers)
    assert way.got(NEW, Source.EXCHANGED)
    assert way.all(Complete) == [Complete(lease_id="mine-0", token=NEW)] * writes


def test_a_write_is_not_repeated_when_the_time_is_over() -> None:
    way = trip(NONE, GRANTED, after(8, NEW), after(6, Table.FAILED))
    assert len(way.all(Complete)) == 1
    assert way.got(NEW, Source.EXCHANGED)


@pytest.mark.parametrize("answer", [Table.DONE, Table.FENCED, Table.FAILED])
def test_a_failure_that_cannot_be_noted_changes_nothing(answer: Table) -> None:
    assert trip(NONE, GRANTED, REFUSAL, answer).error is REFUSAL.error
    assert trip(HELD, mine(HELD), DOWN, answer, now=STALE_AT).got(TOKEN, Source.STALE)


# A process that was stopped, as Lambda stops it between two requests


def test_a_token_that_wore_out_while_the_process_was_stopped_is_not_served() -> None:
    for script in ([NONE, GRANTED, after(3596, NEW)], [Table.FAILED, True, after(3596, NEW)]):
        way = trip(*script, then=Table.FENCED)
        assert isinstance(way.error, TemporarilyUnavailable)
    assert trip(NONE, GRANTED, after(3594, NEW), then=Table.FENCED).served


@pytest.mark.parametrize("stopped", [10.1, 600])
def test_who_wakes_up_at_the_end_of_the_lease_does_not_ask_coze(stopped: float) -> None:
    way = trip(NONE, after(stopped, GRANTED), then=Table.FENCED)
    assert Exchange not in way.kinds
    assert isinstance(way.error, TemporarilyUnavailable)
    assert trip(HELD, after(stopped, mine(HELD)), now=STALE_AT, then=Table.FENCED).got(
        TOKEN, Source.STALE
    )
    assert Exchange not in trip(after(stopped + 4, Table.FAILED), True).kinds


def test_nothing_is_written_when_the_time_is_over() -> None:
    limited = Failed(error=DOWN.error, retry_after=30, hold_seconds=30)
    assert trip(NONE, GRANTED, after(14, limited)).kinds == [Read, Acquire, Exchange]
    slow = [Seen(**HOLD_IS_OVER), GRANTED, Table.DONE, NEW, after(14, Table.DONE)]
    assert trip(*slow).kinds == [Read, Acquire, Probe, Exchange, Complete]


# A token's last minutes


def test_a_token_is_served_to_its_last_seconds_where_coze_fails() -> None:
    for left, served in ((200, True), (5.5, True), (4.5, False)):
        way = trip(HELD, mine(HELD), REFUSAL, Table.DONE, now=TOKEN.expires_at - left)
        assert way.got(TOKEN, Source.STALE) is served
        assert way.error is (None if served else REFUSAL.error)


def test_a_holder_that_is_too_slow_counts_as_failing() -> None:
    assert trip(then=taken(HELD, at=GRACE_AT), now=GRACE_AT).got(TOKEN, Source.STALE)
    late = TOKEN.expires_at - 8
    assert trip(then=taken(HELD, at=late), now=late).error


# A token that Coze rejected


def test_a_rejected_token_is_replaced_where_no_lease_was_granted_since() -> None:
    way = trip(HELD, mine(HELD), NEW, Table.DONE, rejected=TOKEN.sha256)
    assert way.the(Acquire).seen_gen == 7
    forced = replace(NEW, forced=True)
    assert way.the(Complete).token == forced
    assert way.got(forced, Source.EXCHANGED)
    assert way.the(Exchange).seconds == 8


def test_a_rejected_token_is_never_served_whatever_fails() -> None:
    for script in ([mine(HELD), REFUSAL, Table.DONE], [Table.FAILED, False]):
        assert trip(HELD, *script, rejected=TOKEN.sha256).error
    assert trip(then=taken(HELD, at=NOW), rejected=TOKEN.sha256).error


def test_a_rejection_that_somebody_else_saw_to_costs_no_exchange() -> None:
    way = trip(HELD, Refused(seen=replace(FRESH, gen=8)), rejected=TOKEN.sha256)
    assert way.got(NEW, Source.TABLE)


def test_without_the_table_what_replaces_a_rejected_token_is_marked_so() -> None:
    way = trip(Table.FAILED, True, NEW, rejected=TOKEN.sha256)
    assert way.got(replace(NEW, forced=True), Source.DIRECT)


# Whatever happens


LEASE_ENDS = st.none() | st.floats(-9, 15)
DELAYS = st.sampled_from([0, 0, 0, 0.02, 2.1, 9]) | st.floats(0, 2)


@given(st.data())
def test_whatever_the_table_and_coze_do_a_flight_keeps_its_promises(data: st.DataObject) -> None:
    """It ends in time, asks Coze twice at most, and serves nothing rejected or about to expire."""
    rejected = data.draw(st.sampled_from([None, None, TOKEN.sha256]))
    now = data.draw(st.sampled_from([NOW, STALE_AT, GRACE_AT, TOKEN.expires_at - 7, NOW + 9999]))
    seconds = data.draw(st.sampled_from([14, 14, 9, 6, 4]))

    def row(clock: Clock) -> Seen:
        ends = data.draw(LEASE_ENDS)
        return Seen(
            token=data.draw(st.sampled_from([None, TOKEN, TOKEN, NEW])),
            damaged=data.draw(st.booleans()),
            lease_id=None if ends is None else "other",
            lease_until=ms(clock.now + (ends or 0)),
            retry_at=data.draw(st.sampled_from([0, 0, ms(clock.now + 3)])),
            gen=data.draw(st.integers(1, 3)),
            hold_until=data.draw(st.sampled_from([0, 0, ms(clock.now - 3), ms(clock.now + 3)])),
            hold_error=data.draw(st.sampled_from([None, UNKNOWN_KEY])),
        )

    def reply(operation: Operation, clock: Clock) -> object:
        if isinstance(operation, Exchange):
            clock.now += min(data.draw(DELAYS), operation.seconds)
        elif not isinstance(operation, Spend):
            clock.now += min(data.draw(DELAYS), TABLE_SECONDS)
        return data.draw(st.sampled_from(answers(operation, clock)))

    def answers(operation: Operation, clock: Clock) -> list[Any]:
        match operation:
            case Read():
                return [row(clock), row(clock), Table.FAILED]
            case Acquire():
                granted = mine(row(clock))(operation, clock)
                return [granted, Refused(seen=granted), Refused(seen=row(clock)), Table.FAILED]
            case Exchange():
                minted = replace(NEW, issued_at=ms(clock.now) // 1000, expires_at=2**33)
                return [minted, DOWN, REFUSAL, UNKNOWN, replace(DOWN, retry_after=2)]
            case Spend():
                return [True, False]
        return [Table.DONE, Table.FENCED, Table.FAILED]

    way = trip(then=reply, now=now, seconds=seconds, rejected=rejected)
    assert (way.served is None) != (way.error is None)
    if way.served:
        assert outlives(way.served.token, now=way.ended)
        assert way.served.token.sha256 != rejected
    assert way.ended - now <= seconds + 0.5
    assert len(way.all(Exchange)) <= 2
    leases = way.all(Acquire)
    assert len({lease.lease_id for lease in leases}) == len(leases)
    for lease in leases:
        assert lease.lease_until <= ms(now + seconds - 0.5)
    for one, two in pairwise(way.asked):
        if isinstance(two, Exchange) and not isinstance(one, Spend):
            at = way.at[way.asked.index(two)]
            assert two.seconds <= min(8, leases[-1].lease_until / 1000 - at - 1.5) + 0.001
    for write in (*way.all(Complete), *way.all(Fail)):
        assert write.lease_id == leases[-1].lease_id
