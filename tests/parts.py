"""Parts of a broker that count, break on demand and otherwise behave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coze_sts.access_token import AccessToken
from coze_sts.cache.row import FleetHold, Row
from coze_sts.cache.store import TokenStore
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import StoreUnavailable, StsError
from coze_sts.keyring import Keyring
from coze_sts.sessions import Sessions

from tests.factories import KEYRING, Clock

TABLE = "tokens"


class Counts:
    """Telemetry that keeps what it is told."""

    def __init__(self) -> None:
        self.metrics: Counter[str] = Counter()
        self.warnings: list[StsError] = []
        self.facts: dict[str, object] = {}
        self.seconds_at_coze: list[float] = []

    def note_names(self, *, session: str, caller: str, keyring: Keyring) -> None:
        self.note(session=keyring.log_hash(session), caller=keyring.log_hash(caller))

    def note_caller(self, caller: str, *, keyring: Keyring) -> None:
        self.note(caller=keyring.log_hash(caller))

    def note(self, **facts: object) -> None:
        self.facts |= facts

    def count(self, metric: str) -> None:
        self.metrics[metric] += 1

    def coze_took(self, seconds: float) -> None:
        self.seconds_at_coze.append(seconds)

    def warn(self, failure: StsError) -> None:
        self.warnings.append(failure)

    def table_failed(self, failure: StsError) -> None:
        self.count("TableFailed")
        self.warn(failure)


class SingleKey:
    """One key, with no other to fall back on."""

    def __init__(self, app: CozeApp) -> None:
        self.app = app

    def current(self) -> CozeApp:
        return self.app

    def renewed(self) -> CozeApp:
        return self.app

    def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
        return attempt(self.app)


def no_bindings() -> Sessions:
    """A service in which guests do not become users."""
    return Sessions(client=None, table=None, keyring=lambda: KEYRING, clock=Clock())  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Faults:
    """What a table does wrong: calls that fail, and calls whose reply is lost; `seconds` each."""

    clock: Clock
    seconds: float = 0
    failing: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def call(self, name: str, act: Callable[[], Any]) -> Any:
        self.calls.append(name)
        if name in self.failing:
            self.clock.now += self.seconds
            raise StoreUnavailable(f"The token table refused a {name}.")
        result = act()
        if name in self.lost:
            self.clock.now += self.seconds
            raise StoreUnavailable(f"The token table did not answer a {name}.")
        return result


class FaultyStore(TokenStore):
    """The real store, with faults of one's choice at its door."""

    def __init__(self, *, client: Any, faults: Faults, binding_table: str | None = None) -> None:
        super().__init__(client=client, table=TABLE, binding_table=binding_table)
        self._faults = faults

    def read(
        self, pk: str, *, fleet_pk: str, binding_pk: str | None = None
    ) -> tuple[Row | None, FleetHold | None]:
        act = super().read
        return self._faults.call("read", lambda: act(pk, fleet_pk=fleet_pk, binding_pk=binding_pk))

    def acquire(self, pk: str, **more: Any) -> Row:
        act = super().acquire
        return self._faults.call("acquire", lambda: act(pk, **more))

    def complete(self, pk: str, **more: Any) -> None:
        act = super().complete
        self._faults.call("complete", lambda: act(pk, **more))

    def fail(self, pk: str, **more: Any) -> None:
        act = super().fail
        self._faults.call("fail", lambda: act(pk, **more))

    def hold(self, fleet_pk: str, hold: FleetHold, *, now: float) -> None:
        act = super().hold
        self._faults.call("hold", lambda: act(fleet_pk, hold, now=now))

    def probe(self, fleet_pk: str, **more: Any) -> None:
        act = super().probe
        self._faults.call("probe", lambda: act(fleet_pk, **more))

    def forget(self, pk: str) -> None:
        act = super().forget
        self._faults.call("forget", lambda: act(pk))
