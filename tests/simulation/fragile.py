"""A table in memory that fails, or takes its caller down with it, at a call of one's choice."""

from __future__ import annotations

from typing import Any

from coze_sts.cache.row import FleetHold, Row, Sealed
from coze_sts.errors import StoreUnavailable

from tests.simulation.table import InMemoryTable


class Killed(BaseException):
    """The process is gone in the middle of a request."""


class FragileTable(InMemoryTable):
    """`down` fails every call; `fails_after` and `kills_after` count calls until one goes wrong.

    What goes wrong is the reply: the call itself was carried out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.fails_after: int | None = None
        self.kills_after: int | None = None
        self.sealed: list[tuple[str, Sealed]] = []

    @property
    def is_broken(self) -> bool:
        """Whether some call may go wrong."""
        return self.down or self.fails_after is not None or self.kills_after is not None

    def mend(self) -> None:
        self.down, self.fails_after, self.kills_after = False, None, None

    def read(
        self, pk: str, *, fleet_pk: str, binding_pk: str | None = None
    ) -> tuple[Row | None, FleetHold | None]:
        self._enter()
        return super().read(pk, fleet_pk=fleet_pk)

    def acquire(self, pk: str, **asked: Any) -> Row:
        self._enter()
        row = super().acquire(pk, **asked)
        self._leave()
        return row

    def complete(self, pk: str, *, lease_id: str, sealed: Sealed, now: float) -> None:
        self._enter()
        self.sealed.append((pk, sealed))
        super().complete(pk, lease_id=lease_id, sealed=sealed, now=now)
        self._leave()

    def fail(self, pk: str, **asked: Any) -> None:
        self._enter()
        super().fail(pk, **asked)
        self._leave()

    def drop_token(self, pk: str, *, now: float) -> None:
        self._enter()
        super().drop_token(pk, now=now)

    def _enter(self) -> None:
        if self.down:
            raise StoreUnavailable("The token table is down.")

    def _leave(self) -> None:
        if self._counts("kills_after"):
            raise Killed
        if self._counts("fails_after"):
            raise StoreUnavailable("The token table did not answer.")

    def _counts(self, name: str) -> bool:
        """Whether the counter of that name has run out."""
        left = getattr(self, name)
        if left is None:
            return False
        setattr(self, name, None if left == 0 else left - 1)
        return left == 0
