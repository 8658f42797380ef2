"""What changes around the fleet while it works: Coze, the table, the secrets, vandals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coze_sts.cache.row import FleetHold, Row

from tests.simulation.scheduler import Steps
from tests.simulation.table import BROKEN
from tests.simulation.upstream import Mood

if TYPE_CHECKING:
    from tests.simulation.world import World

MOODS = [mood for mood in Mood if mood is not Mood.WELL]
ABSURD = 10**15
SPELL_SECONDS = (0.5, 2, 5, 20, 60)


def change(world: World) -> None:
    """What happens to the fleet around a burst of requests."""
    env, chance, start = world.env, world.rng.random, world.scheduler.start
    if chance() < env.coze_spells:
        start(_bad_mood(world), after=world.rng.uniform(0, 4))
    if chance() < env.table_spells:
        start(_table_fails(world), after=world.rng.uniform(0, 4))
    if chance() < env.secret_spells:
        start(_secrets_fail(world))
    if chance() < env.vandal:
        _meddle(world)
    if chance() < env.rotations:
        _change_keys(world)


def _bad_mood(world: World) -> Steps:
    if world.over:
        return
    mood = world.rng.choice(MOODS)
    world.coze.mood = mood
    world.seen[f"spells: Coze {mood.value}"] += 1
    yield world.rng.choice(SPELL_SECONDS)
    world.coze.mood = Mood.WELL


def _table_fails(world: World) -> Steps:
    if world.over:
        return
    world.table_down = True
    world.seen["spells: table down"] += 1
    yield world.rng.choice(SPELL_SECONDS)
    world.table_down = False


def _secrets_fail(world: World) -> Steps:
    if world.over:
        return
    world.key_store.down = world.secrets_failed = True
    world.seen["spells: secrets down"] += 1
    yield world.rng.uniform(1, 120)
    world.key_store.down = False


def _change_keys(world: World) -> None:
    """A rotation that Coze hears of late, or a key that Coze forgets for a while."""
    rng = world.rng
    world.seen["changes of keys"] += 1
    if rng.random() < 0.5:
        world.rotate(forget_old=rng.random() < 0.5, after=rng.choice((0, 0, 5, 70)))
        return
    gone = frozenset(world.coze.kids)
    world.coze.kids -= gone
    world.scheduler.start(_know(world, gone), after=rng.choice((2, 30, 90, 300)))


def learn(world: World, kid: str, *, forget: str | None) -> Steps:
    """Coze hears of a new key, and perhaps forgets the old one."""
    world.coze.kids |= {kid}
    world.coze.kids -= {forget}
    yield from ()


def _know(world: World, kids: frozenset[str]) -> Steps:
    world.coze.kids |= kids
    yield from ()


def _meddle(world: World) -> None:
    """Somebody who can write the table does; or the TTL deletes a row that is long over."""
    pk = world.pk(world.rng.choice(world.sessions))
    item = world.table.items.get(pk)
    act = world.rng.choice((_delete, _break, _alter, _swap, _block, _alter_fleet))
    if world.fleet_pk in world.table.items and world.rng.random() < 0.5:
        act = _break  # what the fleet is told must not get lost with the row
    if isinstance(item, Row):
        world.seen[f"meddled:{act.__name__.replace('_', ' ')}"] += 1
        act(world, item)
        world.tables.meddled(pk)


def _delete(world: World, row: Row) -> None:
    world.table.items.pop(row.pk)


def _break(world: World, row: Row) -> None:
    world.table.items[row.pk] = BROKEN


def _alter(world: World, row: Row) -> None:
    """A token that lives longer, another key's name, a cut ciphertext, a lost one."""
    sealed = row.sealed
    if sealed is None:
        return
    altered = world.rng.choice(
        (
            replace(sealed, expires_at=sealed.expires_at + 3600),
            replace(sealed, refresh_at=sealed.refresh_at + 10**9),
            replace(sealed, issued_at=sealed.issued_at - 60),
            replace(sealed, kid="other"),
            replace(sealed, ek="9"),
            replace(sealed, ct=sealed.ct[:-1]),
            replace(sealed, forced=not sealed.forced),
            None,
        )
    )
    world.table.items[row.pk] = replace(row, sealed=altered, sealed_damaged=altered is None)


def _swap(world: World, row: Row) -> None:
    """Two sessions' rows change places."""
    other_pk = world.pk(world.rng.choice(world.sessions))
    other = world.table.items.get(other_pk)
    if isinstance(other, Row) and other_pk != row.pk:
        world.table.items[row.pk] = replace(other, pk=row.pk)
        world.table.items[other_pk] = replace(row, pk=other_pk)
        world.tables.meddled(other_pk)


def _block(world: World, row: Row) -> None:
    """A lease, a back-off or a count of failures that nobody would write."""
    blocked = world.rng.choice(
        (
            replace(row, lease_id="vandal", lease_until=ABSURD),
            replace(row, retry_at=ABSURD),
            replace(row, retry_at=int((world.scheduler.now + 305) * 1000)),
            replace(row, fail_n=10**9),
            replace(row, lease_id="vandal", lease_until=0),
        )
    )
    world.table.items[row.pk] = blocked


def _alter_fleet(world: World, row: Row) -> None:
    """The fleet's row goes, breaks, or blocks everybody for ever."""
    fleet: list[object] = [BROKEN, FleetHold(until=ABSURD, error="x", kid="k")]
    world.table.items[world.fleet_pk] = world.rng.choice(fleet)  # type: ignore[assignment]
    world.fleet.forgets()
