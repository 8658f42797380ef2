"""The whole flow: caller → session → a token from memory, from the table, or from Coze."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coze_sts.access_token import AccessToken, State, outlives, state
from coze_sts.auth.session import Caller, Session, cache_key, session_for
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.seal import seal, unseal
from coze_sts.cache.store import DamagedRowError, TokenStore
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import SlowDown, StoreUnavailable, StsError
from coze_sts.keyring import Keyring, Purpose
from coze_sts.settings import Settings
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from requests import Session as HttpSession

FORCED_INTERVAL_SECONDS = 60
"""A token that replaced a rejected one can itself be rejected only after this long."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every step of one request stands on."""

    app: CozeApp
    keyring: Keyring
    session: Session
    pk: str


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Hands out tokens. All I/O is passed in; `clock` gives UNIX seconds."""

    settings: Settings
    app: Callable[[], CozeApp]
    keyring: Callable[[], Keyring]
    store: TokenStore
    memory: TokenMemory
    http: Callable[[], HttpSession]
    telemetry: Telemetry
    clock: Callable[[], float]

    def token_for(self, caller: Caller, *, rejected: str | None = None) -> AccessToken:
        """A usable token for the caller's own session.

        `rejected` is the SHA-256 in hex of a token that Coze refused before its time: where it
        is the one we hold, it is replaced. Raises SlowDown where that repeats, UpstreamRejected
        or TemporarilyUnavailable where Coze does not help and no usable token is left.
        """
        ground = self._ground(caller)
        held = self.memory.get(ground.pk, now=self.clock())
        if held is not None and not _names(rejected, held):
            return self._found("MemoryHit", held)
        held = self._read(ground) or held
        if _names(rejected, held):
            return self._replace(held, ground)
        if held is not None and state(held, now=self.clock()) is State.FRESH:
            self.memory.put(ground.pk, held, now=self.clock())
            return self._found("TableHit", held)
        return self._renew(held, ground)

    def forget(self, caller: Caller) -> None:
        """Drops the cached token; raises StoreUnavailable. Coze cannot revoke a single token."""
        ground = self._ground(caller)
        self.memory.forget(ground.pk)
        self.store.forget(ground.pk)

    def _ground(self, caller: Caller) -> Ground:
        app, keyring = self.app(), self.keyring()
        session = session_for(caller, settings=self.settings, keyring=keyring)
        pk = cache_key(
            session,
            index_key=keyring.derive(Purpose.INDEX),
            api_base=app.api_base,
            client_id=app.client_id,
            settings=self.settings,
        )
        self.telemetry.note(session=keyring.log_hash(session.name))
        return Ground(app=app, keyring=keyring, session=session, pk=pk)

    def _read(self, ground: Ground) -> AccessToken | None:
        """The token in the table. One that does not open is a miss, and so is a table in need."""
        try:
            row = self.store.read(ground.pk)
        except StoreUnavailable as failure:
            self._table_failed(failure)
            return None
        except DamagedRowError:
            self.telemetry.count("RowDamaged")
            return None
        if row is None:
            return None
        token = unseal(row, pk=ground.pk, keyring=ground.keyring)
        if token is None:
            self.telemetry.count("RowDamaged")
        return token

    def _replace(self, held: AccessToken | None, ground: Ground) -> AccessToken:
        """One forced renewal: a fault that a new token cannot mend must not storm Coze."""
        if held is not None and held.forced:
            wait = held.issued_at + FORCED_INTERVAL_SECONDS - self.clock()
            if wait > 0:
                raise SlowDown(
                    "This session's token was replaced a moment ago. A new one will not help: "
                    "look at the permissions and the bot's channels at Coze.",
                    retry_after=int(wait) + 1,
                )
        self.telemetry.count("Forced")
        return self._keep(replace(self._exchange(ground), forced=True), ground)

    def _renew(self, held: AccessToken | None, ground: Ground) -> AccessToken:
        """A new token, or the held one for as long as it lives where Coze does not help."""
        try:
            token = self._exchange(ground)
        except StsError as failure:
            if held is None or not outlives(held, now=self.clock()):
                raise
            self.telemetry.warn(failure)
            self.memory.put(ground.pk, held, now=self.clock())
            return self._found("ServedStale", held)
        return self._keep(token, ground)

    def _exchange(self, ground: Ground) -> AccessToken:
        # Imported on a miss: a request that finds a token need not load them at cold start.
        from coze_sts.coze.mint import mint  # noqa: PLC0415

        self.telemetry.count("Exchange")
        token, log_id = mint(
            self.http(),
            app=ground.app,
            settings=self.settings,
            session_name=ground.session.name,
            session_context=ground.session.context,
            now=self.clock(),
        )
        self.telemetry.note(coze_log_id=log_id)
        return token

    def _keep(self, token: AccessToken, ground: Ground) -> AccessToken:
        """Stores a new token. It is good even where the table refuses it."""
        self.memory.put(ground.pk, token, now=self.clock())
        try:
            self.store.write(seal(token, pk=ground.pk, keyring=ground.keyring), now=self.clock())
        except StoreUnavailable as failure:
            self._table_failed(failure)
        return self._found("Exchanged", token)

    def _table_failed(self, failure: StoreUnavailable) -> None:
        self.telemetry.count("TableFailed")
        self.telemetry.warn(failure)

    def _found(self, source: str, token: AccessToken) -> AccessToken:
        self.telemetry.count(source)
        self.telemetry.note(source=source)
        return token


def _names(digest: str | None, token: AccessToken | None) -> bool:
    """Whether `digest` is that of `token`."""
    return digest is not None and token is not None and hmac.compare_digest(digest, token.sha256)
