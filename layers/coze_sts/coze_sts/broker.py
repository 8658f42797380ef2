"""The whole flow: caller → session → a token from memory, from the table, or from Coze."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth.session import (
    Caller,
    Session,
    cache_key,
    fleet_key,
    session_for,
)
from coze_sts.cache.decision import is_rejected, refuse_storm
from coze_sts.cache.fleet import RefusedError
from coze_sts.cache.lease import Flight, fly
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.operations import Source
from coze_sts.cache.row import DamagedRowError
from coze_sts.cache.store import DROP_INTERVAL_SECONDS, BoundError, TokenStore
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import SlowDown, StsError
from coze_sts.keyring import Keyring, Purpose
from coze_sts.performer import Performer
from coze_sts.sessions import Sessions
from coze_sts.settings import Settings
from coze_sts.telemetry import FORGOTTEN, ISSUED, Telemetry

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from coze_sts.budget import Budget
    from coze_sts.exchanger import Exchanger

ANSWER_SECONDS = 14
"""The most that a request takes, whatever the function's time-out."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Hands out tokens. All I/O is passed in; `clock` gives UNIX seconds."""

    settings: Settings
    keys: AppKeys
    keyring: Callable[[], Keyring]
    store: TokenStore
    sessions: Sessions
    memory: TokenMemory
    budget: Callable[[], Budget] | None
    allowance: Allowance
    http: Callable[[], PoolManager]
    telemetry: Telemetry
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def token_for(
        self,
        caller: Caller,
        *,
        rejected: str | None = None,
        remaining: float = 20,
        settings: Settings | None = None,
    ) -> AccessToken:
        """A usable token for the caller's own session, within `remaining` seconds less one.

        `rejected` is the SHA-256 in hex of a token that Coze refused before its time: where it
        is the one we hold, it is replaced. `settings` are those of the caller's page, where they
        differ. Raises SlowDown where that repeats or a limit is reached, InvalidToken for a guest
        who became a user, UpstreamRejected or TemporarilyUnavailable where Coze does not help and
        no usable token is left.
        """
        deadline = self.clock() + min(ANSWER_SECONDS, remaining - 1)
        settings = settings or self.settings
        try:
            return self._token(self._performer(caller, settings), rejected, deadline=deadline)
        except BoundError as bound:
            self.sessions.learn(bound.item)
        return self._token(self._performer(caller, settings), rejected, deadline=deadline)

    def forget(self, caller: Caller, *, settings: Settings | None = None) -> None:
        """Drops the cached token; raises SlowDown where that repeats, and StoreUnavailable.

        Coze cannot revoke a single token.
        """
        self.sessions.look_up(caller)
        performer, now = self._performer(caller, settings or self.settings), self.clock()
        self.memory.forget(performer.memory_key)
        try:
            self.store.drop_token(performer.pk, now=now)
        except DamagedRowError:
            self.store.forget(performer.pk)
        except RefusedError:
            raise SlowDown(
                "This session's token was forgotten a moment ago.",
                retry_after=DROP_INTERVAL_SECONDS,
            ) from None
        self.telemetry.note(decision=FORGOTTEN)

    def _token(self, performer: Performer, rejected: str | None, *, deadline: float) -> AccessToken:
        now = self.clock()
        held = self.memory.get(performer.memory_key, now=now)
        if held is not None and not is_rejected(held, rejected):
            return self._found("MemoryHit", held)
        if held is not None:
            refuse_storm(held, now=now)
        flight = Flight(
            clock=self.clock,
            deadline=deadline,
            rejected=rejected,
            rng=random.SystemRandom(),
            new_lease_id=lambda: os.urandom(16).hex(),
        )
        try:
            served = fly(flight, perform=performer.perform)
        except StsError as refusal:
            self._warn(performer.failures, but=refusal)
            raise
        self._warn(performer.failures)
        self.memory.put(performer.memory_key, served.token, now=self.clock())
        if served.token.forced and served.source in (Source.EXCHANGED, Source.DIRECT):
            self.telemetry.count("Forced")
        return self._found(served.source.value, served.token)

    def _performer(self, caller: Caller, settings: Settings) -> Performer:
        app, keyring = self.keys.current(), self.keyring()
        binding_pk = self.sessions.binding_pk(caller)
        guest = self.sessions.guest_at(binding_pk, caller)
        session = session_for(caller, settings=settings, keyring=keyring, guest=guest)
        self.telemetry.note_names(session=session.name, caller=caller.name, keyring=keyring)
        index_key = keyring.derive(Purpose.INDEX)
        return Performer(
            exchanger=lambda: self._exchanger(
                caller, session, settings, app=app.identity, index_key=index_key
            ),
            keys=self.keys,
            keyring=keyring,
            store=self.store,
            allowance=self.allowance,
            telemetry=self.telemetry,
            clock=self.clock,
            sleep=self.sleep,
            pk=cache_key(session, index_key=index_key, app=app.identity, settings=settings),
            fleet=lambda: fleet_key(index_key=index_key, app=app.identity, settings=settings),
            per_day=settings.tokens_per_session,
            binding_pk=None if guest else binding_pk,
            guest=caller.kind == "guest",
            guests_become_users=bool(settings.issuers),
        )

    def _exchanger(
        self,
        caller: Caller,
        session: Session,
        settings: Settings,
        *,
        app: tuple[str, str],
        index_key: bytes,
    ) -> Exchanger:
        # Imported for an exchange: a request that finds a token need not load it at cold start.
        from coze_sts.exchanger import Exchanger, limit_of  # noqa: PLC0415

        return Exchanger(
            settings=settings,
            keys=self.keys,
            http=self.http,
            telemetry=self.telemetry,
            clock=self.clock,
            app=app,
            session=session,
            budget=self.budget() if self.budget else None,
            guest=caller.kind == "guest",
            limit=limit_of(session, settings, usual=self.settings, app=app, index_key=index_key),
        )

    def _warn(self, failures: list[StsError], *, but: StsError | None = None) -> None:
        """Logs what the caller does not feel; what they do is logged with the answer."""
        for failure in failures:
            if failure is not but:
                self.telemetry.warn(failure)

    def _found(self, source: str, token: AccessToken) -> AccessToken:
        self.telemetry.count(source)
        self.telemetry.note(source=source, token=token.sha256[:32], decision=ISSUED)
        return token
