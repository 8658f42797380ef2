"""The end of a run: all faults stop, and every session must come to a token; then the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.row import FleetHold, Row

from tests.simulation.process import CURRENT
from tests.simulation.request import Request
from tests.simulation.rules import check
from tests.simulation.scheduler import Steps
from tests.simulation.upstream import Mood

if TYPE_CHECKING:
    from tests.simulation.world import World

LEASE_SECONDS = 12
TAKE_OVER_SECONDS = 2
SKEW = 2
"""Between two clocks, in seconds."""
ROUNDING = 2
"""Issued and to be renewed at whole seconds."""
EXCHANGE_SECONDS = 2
"""What an exchange and the calls to the table take at most when all is well."""
ANSWER_SECONDS = 14
"""How long an exchange that began before may still bring a failure."""
MOST_BACK_OFF_SECONDS = 302
FETCH_SECONDS = 60


def calm_down(world: World) -> None:
    """All faults are over; what they left behind is there."""
    world.over = True
    world.env = world.env.calm()
    world.coze.mood = Mood.WELL
    world.coze.kids |= set(world.key_store.stages.values())
    world.table_down = False
    world.key_store.down = False


def come_back(world: World, session: str) -> Steps:
    """Somebody who asks until they are served; raises Violation where that takes too long."""
    since = world.scheduler.now
    blocked = _blocked_until(world, session)
    rejected = _token_to_reject(world, session)
    while True:
        trip = world.trip(session, process=world.new_process())
        trip.rejected = rejected
        yield from Request(world, trip).life()
        if trip.served:
            return
        latest = since + ANSWER_SECONDS + MOST_BACK_OFF_SECONDS
        blocked = max(blocked, min(_blocked_until(world, session), latest))
        limit = max(since + LEASE_SECONDS + TAKE_OVER_SECONDS, blocked) + SKEW + EXCHANGE_SECONDS
        late = world.scheduler.now - limit
        check("10", late < 0, f"{session} is still blocked {late:.1f} s after it should be free")
        yield max(0.5, blocked - world.scheduler.now - SKEW)


def _token_to_reject(world: World, session: str) -> str | None:
    """One that Coze granted for good reasons, so that a new one must be had."""
    handed = [token.sha256 for token in world.handed.get(session, ())]
    innocent = [digest for digest in handed[-2:] if digest not in world.cozes.forced]
    return world.rng.choice(innocent) if innocent and world.rng.random() < 0.3 else None


def _blocked_until(world: World, session: str) -> float:
    """The back-off that Coze's failures left behind, as a true time."""
    row, hold = world.table.items.get(world.pk(session)), world.table.items.get(world.fleet_pk)
    times = [row.retry_at / 1000] if isinstance(row, Row) else []
    if isinstance(hold, FleetHold) and _concerns(world, hold):
        times.append(hold.until / 1000)
    latest = world.scheduler.now + MOST_BACK_OFF_SECONDS
    return max((time for time in times if time <= latest), default=0.0)


def _concerns(world: World, hold: FleetHold) -> bool:
    """A hold for a key that is current no more blocks nobody."""
    return hold.error != UNKNOWN_KEY or hold.kid == world.key_store.stages[CURRENT]


def check_exchanges(world: World) -> None:
    """Invariant 5, session by session."""
    for session in world.sessions:
        pk = world.pk(session)
        times = [g.expires_at for g in world.coze.granted.values() if g.session == session]
        if not times:
            continue
        worn_out = (max(times) - min(times)) / (0.6 * world.env.lifetime - SKEW - ROUNDING)
        excused = world.excuses[pk] + world.tables.meddled_times[pk]
        most = worn_out + 1 + excused
        check("5", len(times) <= most, f"{session} cost {len(times)} exchanges, not {most:.1f}")


def check_fetches(world: World) -> None:
    """The second half of invariant 17."""
    if world.secrets_failed:
        return
    for process in world.all_processes:
        pairs = zip(process.fetched, process.fetched[1:], strict=False)
        close = [later - sooner for sooner, later in pairs if later - sooner < FETCH_SECONDS]
        check("17", not close, f"a process fetched its secret again after {close} s")
