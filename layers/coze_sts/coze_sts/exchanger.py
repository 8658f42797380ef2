"""Exchanges with Coze for one session: the key that works, the day's budget, the log id."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coze_sts.access_token import AccessToken
from coze_sts.auth.session import Session, session_counter_key
from coze_sts.budget import Budget
from coze_sts.cache.counters import Counter
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import (
    RateLimited,
    SlowDown,
    StsError,
    TemporarilyUnavailable,
    UpstreamRejected,
    UpstreamUnavailable,
)
from coze_sts.settings import Settings
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from urllib3 import PoolManager

CLASSES: tuple[tuple[type[StsError], str], ...] = (
    (RateLimited, "CozeRateLimited"),
    (UpstreamUnavailable, "CozeUnavailable"),
    (UpstreamRejected, "CozeRefused"),
)
"""What Coze's failures are counted as, each once: the first that fits. They are cured unlike."""


@dataclass(frozen=True, kw_only=True)
class Exchanger:
    """Fetches tokens for `session`, as the OAuth app whose identity is `app` and as no other.

    `limit` counts for sessions whose page has other settings: those have rows of their own.
    """

    settings: Settings
    keys: AppKeys
    http: Callable[[], PoolManager]
    telemetry: Telemetry
    clock: Callable[[], float]
    app: tuple[str, str]
    session: Session
    budget: Budget | None = None
    guest: bool = False
    limit: Counter | None = None

    def exchange(self, seconds: float, *, counted: bool = True) -> AccessToken:
        """A new token within `seconds`; raises StsError, without the visitor's names in it.

        Not `counted` against the budget where the table that keeps it is known to be down.
        """
        deadline = self.clock() + seconds
        try:
            with self._budget(counted=counted):
                return self.keys.exchange(lambda app: self._mint(app, deadline=deadline))
        except StsError as error:
            self._count(error)
            raise

    def _count(self, error: StsError) -> None:
        spent = isinstance(error, SlowDown)
        self.telemetry.count("BudgetSpent" if spent else "ExchangeFailed")
        for kind, metric in CLASSES:
            if isinstance(error, kind):
                self.telemetry.count(metric)
                return

    def _budget(self, *, counted: bool) -> AbstractContextManager[None]:
        if self.budget is None or not counted:
            return nullcontext()
        return self.budget.one(guest=self.guest, session=self.limit)

    def _mint(self, app: CozeApp, *, deadline: float) -> AccessToken:
        # Imported on a miss: a request that finds a token need not load it at cold start.
        from coze_sts.coze.mint import mint  # noqa: PLC0415

        if app.identity != self.app:
            raise TemporarilyUnavailable("The OAuth app was replaced during this request.")
        self.telemetry.count("Exchange")
        began = self.clock()
        try:
            token, log_id = mint(
                self.http(),
                app=app,
                settings=self.settings,
                session_name=self.session.name,
                session_context=self.session.context,
                names=self.session.names,
                clock=self.clock,
                deadline=deadline,
            )
        finally:
            self.telemetry.coze_took(self.clock() - began)
        self.telemetry.note(coze_log_id=log_id)
        return token


def limit_of(
    session: Session,
    settings: Settings,
    *,
    usual: Settings,
    app: tuple[str, str],
    index_key: bytes,
) -> Counter | None:
    """Each row counts its own tokens; whoever gets another by another page's settings, all."""
    if (settings.scope, settings.token_duration_seconds) == (
        usual.scope,
        usual.token_duration_seconds,
    ):
        return None
    pk = session_counter_key(session, index_key=index_key, app=app)
    return Counter(pk=pk, per_day=settings.tokens_per_session)
