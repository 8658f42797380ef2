"""Who asks, when: crowds at the moments at which a row changes its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_sts.access_token import min_left
from coze_sts.cache.row import FleetHold, Row

from tests.simulation.scheduler import Steps
from tests.simulation.weather import change

if TYPE_CHECKING:
    from tests.simulation.world import World

DAY = 86400


def visit(world: World) -> Steps:
    """All the bursts of a run."""
    for _ in range(world.env.bursts):
        session = world.rng.choice(world.sessions)
        moment = _moment(world, session)
        yield max(moment - world.scheduler.now, 0)
        change(world)
        for _ in range(world.rng.randint(1, world.env.crowd)):
            other = world.rng.random() < 0.4
            one = world.rng.choice(world.sessions) if other else session
            spread = world.rng.choice((0.05, 0.5, 3))
            world.scheduler.start(world.arrival(one), after=world.rng.uniform(0, spread))


def _moment(world: World, session: str) -> float:
    """A true time at which something about the session's row may be about to change."""
    rng, now = world.rng, world.scheduler.now
    moments = [now + rng.uniform(0, 2), now + rng.uniform(0, 30)]
    row, hold = world.table.items.get(world.pk(session)), world.table.items.get(world.fleet_pk)
    if isinstance(row, Row):
        moments += _moments_of(row)
    if isinstance(hold, FleetHold):
        moments += [hold.until / 1000] * 3
    moment = rng.choice(moments) + rng.uniform(-2, 3)
    if rng.random() < 0.02:
        moment += 3 * DAY
    return min(max(moment, now), now + 4 * DAY)


def _moments_of(row: Row) -> list[float]:
    moments = [row.lease_until / 1000, row.lease_until / 1000 + 2, row.retry_at / 1000]
    if row.sealed is not None:
        sealed = row.sealed
        least = min_left(sealed.expires_at - sealed.issued_at)
        moments += [sealed.refresh_at, sealed.refresh_at + 1, sealed.expires_at - least]
        moments += [sealed.expires_at - least + 2, sealed.expires_at - 5, sealed.expires_at + 1]
    return [moment for moment in moments if moment > 0]
