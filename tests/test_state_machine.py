"""The real service, driven at random: what must hold after every request, whatever came before."""

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from coze_sts.auth.session import Caller
from coze_sts.cache.row import Row, Sealed
from coze_sts.errors import SlowDown, StoreUnavailable, StsError, TemporarilyUnavailable
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.simulation.fragile import Killed
from tests.simulation.rules import check
from tests.simulation.service import CURRENT, PREVIOUS, Process, Service
from tests.simulation.table import BROKEN, InMemoryTable
from tests.simulation.verdict import judge_answer, judge_refusal, judge_row, pk_of, question

CALLERS = (
    Caller(kind="user", name="alice"),
    Caller(kind="backend", name="alice"),
    Caller(kind="user", name="bob"),
    Caller(kind="guest", name="guest_alice"),
    Caller(kind="backend", name="alice", device_id="phone"),
)
SALT_AND_NONCE_BYTES = 28
FETCH_SECONDS = 60
ROTATION_SECONDS = 1800
"""Two rotations within a secret's time in memory are more than is promised."""

EDGES = ("stale", "stale", "grace", "last")

callers = st.sampled_from(CALLERS)
processes = st.sampled_from((0, 1))


class Fleet(RuleBasedStateMachine):
    """Rules change the world, or ask for a token and judge the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.handed: dict[str, str] = {}
        self.rotations = 0
        self.rotated_at = self.secrets_failed_at = float("-inf")

    @rule(caller=callers, number=processes, rejects=st.sampled_from((False, False, False, True)))
    def ask(self, caller: Caller, number: int, rejects: bool) -> None:
        process = self.service.processes[number]
        rejected = self.handed.get(pk_of(caller)) if rejects else None
        process.counts.metrics.clear()
        asked = question(self.service, process=process, caller=caller, rejected=rejected)
        well = self._all_is_well(process)
        try:
            token = process.broker.token_for(caller, rejected=rejected)
        except StsError as error:
            judge_refusal(asked, error, well=well)
        except Killed:
            process.restore()
        else:
            judge_answer(asked, token)
            self.handed[pk_of(caller)] = token.sha256
        judge_row(asked)

    @rule(caller=callers, number=processes)
    def ask_with_nothing_in_memory(self, caller: Caller, number: int) -> None:
        self.service.processes[number].memory.clear()
        self.ask(caller=caller, number=number, rejects=False)

    @rule(caller=callers, edge=st.sampled_from(EDGES), by=st.integers(-2, 2), twice=st.booleans())
    def ask_at_an_edge(self, caller: Caller, edge: str, by: int, twice: bool) -> None:
        """Where a token turns STALE, GRACE or useless: one process or both."""
        row = self._row(caller)
        if row is None or row.sealed is None:
            return
        edges = {"stale": row.sealed.refresh_at, "grace": row.sealed.expires_at - 30}
        at = edges.get(edge, row.sealed.expires_at - 5) + by
        self.service.now = max(self.service.now, at)
        for number in (0, 1) if twice else (0,):
            self.ask_with_nothing_in_memory(caller=caller, number=number)

    @rule(caller=callers, number=processes)
    def forget(self, caller: Caller, number: int) -> None:
        with suppress(SlowDown, StoreUnavailable, TemporarilyUnavailable):
            self.service.processes[number].broker.forget(caller)

    @rule(seconds=st.sampled_from((0.5, 4, 13, 61, 200, 900, 5 * 86400)))
    def advance_the_clock(self, seconds: float) -> None:
        self.service.now += seconds

    @rule(number=processes, offset=st.sampled_from((-1.0, 0.0, 1.0)))
    def skew(self, number: int, offset: float) -> None:
        self.service.processes[number].offset = offset

    @rule(number=processes)
    def restore_a_snapshot(self, number: int) -> None:
        self.service.processes[number].restore()

    @precondition(lambda self: self.service.now > self.rotated_at + ROTATION_SECONDS)
    @rule(at_once=st.booleans())
    def rotate_the_key(self, at_once: bool) -> None:
        self.rotations += 1
        self.rotated_at = self.service.now
        self.service.rotate(f"kid-{self.rotations}")
        if at_once:
            self.service.learn(f"kid-{self.rotations}")

    @precondition(lambda self: self.service.now > self.rotated_at + ROTATION_SECONDS)
    @rule(caller=callers, number=processes)
    def replace_the_key_in_a_hurry(self, caller: Caller, number: int) -> None:
        """The old key is gone at once, while processes still have it in memory."""
        self.ask(caller=caller, number=number, rejects=False)
        old = self.service.stages[CURRENT]
        self.rotate_the_key(at_once=True)
        if old in self.service.known:
            self.service.unlearn(old)
        self.service.now += FETCH_SECONDS + 3
        self.service.table.forget(pk_of(caller))
        self.ask_with_nothing_in_memory(caller=caller, number=number)

    @rule()
    def coze_learns_all_keys(self) -> None:
        for kid in {*self.service.stages.values()} - self.service.known:
            self.service.learn(kid)

    @rule(stage=st.sampled_from((CURRENT, PREVIOUS)))
    def coze_forgets_a_key(self, stage: str) -> None:
        kid = self.service.stages.get(stage)
        if kid in self.service.known:
            self.service.unlearn(kid)

    @rule(outage=st.sampled_from((None, None, 0, 403, 429, 503)))
    def break_or_mend_coze(self, outage: int | None) -> None:
        self.service.http.outage = outage

    @rule(how=st.sampled_from(("down", "fails_after", "kills_after")), after=st.integers(0, 2))
    def break_the_table(self, how: str, after: int) -> None:
        setattr(self.service.table, how, True if how == "down" else after)

    @rule()
    def mend_the_table(self) -> None:
        self.service.table.mend()

    @rule(down=st.booleans())
    def break_or_mend_the_secrets(self, down: bool) -> None:
        if self.service.secrets_down or down:
            self.secrets_failed_at = self.service.now
        self.service.secrets_down = down

    @rule(caller=callers, how=st.integers(0, 8), number=processes)
    def damage_a_row(self, caller: Caller, how: int, number: int) -> None:
        row = self._row(caller)
        if row is None or row.sealed is None:
            return
        sealed = _damaged(row.sealed, how)
        items = self.service.table.items
        items[row.pk] = replace(row, sealed=sealed, sealed_damaged=sealed is None)
        if how == 8:
            items[row.pk] = BROKEN
        self.ask_with_nothing_in_memory(caller=caller, number=number)

    @rule(one=callers, other=callers)
    def swap_rows(self, one: Caller, other: Caller) -> None:
        a, b = self._row(one), self._row(other)
        if a is not None and b is not None:
            items = self.service.table.items
            items[a.pk], items[b.pk] = replace(b, pk=a.pk), replace(a, pk=b.pk)

    @rule()
    def delete_by_ttl(self) -> None:
        table = self.service.table
        for pk in [pk for pk, at in table.purge_at.items() if at < self.service.now]:
            InMemoryTable.forget(table, pk)

    @invariant()
    def nothing_random_repeats(self) -> None:
        jtis = [sent.jti for sent in self.service.http.sent]
        check("15", len(set(jtis)) == len(jtis), "a jti was used twice")
        nonces = [sealed.ct[:SALT_AND_NONCE_BYTES] for _, sealed in self.service.table.sealed]
        check("15", len(set(nonces)) == len(nonces), "a nonce was used twice")

    @invariant()
    def a_secret_is_fetched_once_a_minute(self) -> None:
        for process in self.service.processes:
            for sooner, later in pairwise(process.fetched[CURRENT]):
                failed = abs(self.secrets_failed_at - sooner) < 10**6
                few = later - sooner >= FETCH_SECONDS - 2 or failed
                check("17", few, f"fetched again after {later - sooner:.0f} s")

    def _row(self, caller: Caller) -> Row | None:
        row = self.service.table.items.get(pk_of(caller))
        return row if isinstance(row, Row) else None

    def _all_is_well(self, process: Process) -> bool:
        """A key that the process can have works, and so does all else."""
        service = self.service
        if service.http.outage is not None or service.table.is_broken or service.secrets_down:
            return False
        return service.now > self.secrets_failed_at + 10 and self._has_a_key(process)

    def _has_a_key(self, process: Process) -> bool:
        service = self.service
        current, previous = service.stages[CURRENT], service.stages.get(PREVIOUS)
        last = max(process.fetched[CURRENT], default=float("-inf"))
        may_fetch = process.clock() - last > FETCH_SECONDS + 2 or last > self.rotated_at + 2
        if current in service.known and (may_fetch or previous in service.known):
            return True
        settled = all(at > self.rotated_at + 2 for at in process.fetched[PREVIOUS])
        return previous in service.known and settled


def _damaged(sealed: Sealed, how: int) -> Sealed | None:
    changes = (
        {"ct": sealed.ct[:-1]},
        {"ek": "9"},
        {"kid": "other"},
        {"issued_at": sealed.issued_at - 60},
        {"expires_at": sealed.expires_at + 10**6},
        {"refresh_at": sealed.refresh_at + 10**6},
        {"forced": not sealed.forced},
    )
    return replace(sealed, **changes[how]) if how < len(changes) else None


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
