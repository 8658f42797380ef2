"""Whose session a caller has: their own, or the one that they had as a guest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coze_sts.auth.guest import REFUSAL
from coze_sts.auth.session import Caller, binding_key
from coze_sts.cache.bindings import BindingStore, DamagedBindingError
from coze_sts.cache.dynamodb import Item
from coze_sts.errors import InvalidToken, Misconfigured
from coze_sts.keyring import Keyring

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_KNOWN = 4096
DAMAGED = "A record of BINDING_TABLE was not written by this service: restore the table."


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Bindings of guests to users. They never change, so this process remembers those it saw."""

    client: DynamoDBClient
    table: str | None
    keyring: Callable[[], Keyring]
    clock: Callable[[], float]
    known: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)

    def binding_pk(self, caller: Caller) -> str | None:
        """The record to look for; None where there can be none."""
        if self.table is None or caller.new:
            return None
        return binding_key(caller, key=self.keyring().binding_key)

    def guest_of(self, caller: Caller) -> str | None:
        """The guest that a user was, as far as this process knows; raises InvalidToken.

        A guest who became a user has no session of their own any more.
        """
        return self.guest_at(self.binding_pk(caller), caller)

    def guest_at(self, pk: str | None, caller: Caller) -> str | None:
        """The same, by the record that says it."""
        bound_to = self.known.get(pk) if pk else None
        if bound_to is not None and caller.kind == "guest":
            raise InvalidToken(REFUSAL)
        return bound_to

    def look_up(self, caller: Caller) -> str | None:
        """The same, as far as the table knows; raises StoreUnavailable, Misconfigured too."""
        pk = self.binding_pk(caller)
        if pk and pk not in self.known:
            self._remember(pk, self._found(pk))
        return self.guest_at(pk, caller)

    def learn(self, item: Item) -> None:
        """Remembers a record that was read elsewhere; raises Misconfigured."""
        try:
            self._remember(item["pk"]["S"], self._store(self.table or "").read(item))
        except DamagedBindingError:
            raise Misconfigured(DAMAGED) from None

    def carry_over(self, guest: Caller, *, to: Caller) -> bool:
        """Gives the guest's session to a user for good; whether the user has it now.

        False where the user already took another guest's. Raises InvalidToken where the guest
        became somebody else, StoreUnavailable, Misconfigured.
        """
        if self.table is None:
            raise Misconfigured("BINDING_TABLE is not set.")
        key = self.keyring().binding_key
        guest_pk, user_pk = binding_key(guest, key=key), binding_key(to, key=key)
        if user_pk not in self.known:
            self._store(self.table).bind(
                guest_pk=guest_pk, guest=guest.name, user_pk=user_pk, now=self.clock()
            )
        became = self._found(guest_pk)
        self._remember(guest_pk, became)
        self._remember(user_pk, self._found(user_pk))
        if became not in (None, user_pk):
            raise InvalidToken(REFUSAL)
        return self.known.get(user_pk) == guest.name

    def _found(self, pk: str) -> str | None:
        try:
            return self._store(self.table or "").find(pk)
        except DamagedBindingError:
            raise Misconfigured(DAMAGED) from None

    def _remember(self, pk: str, bound_to: str | None) -> None:
        if bound_to is None:
            return
        self.known[pk] = bound_to
        if len(self.known) > MAX_KNOWN:
            self.known.popitem(last=False)

    def _store(self, table: str) -> BindingStore:
        return BindingStore(client=self.client, table=table, key=self.keyring().binding_key)
