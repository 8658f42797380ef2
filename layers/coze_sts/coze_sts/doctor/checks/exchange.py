"""A real exchange, as for a visitor; where Coze refuses the key, another in the other region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from coze_sts.access_token import AccessToken
from coze_sts.auth.session import Session
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.mint import mint
from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import Wire
from coze_sts.errors import (
    StsError,
    TemporarilyUnavailable,
    UnusableKey,
    UpstreamRejected,
    UpstreamUnavailable,
)
from coze_sts.settings import Settings

EXCHANGE_SECONDS = 6
SESSION_NAME = "coze-sts-doctor"
"""Whose conversations the checks make. Nobody chats in it."""

REGIONS = ("https://api.coze.cn", "https://api.coze.com")


@dataclass(frozen=True, kw_only=True)
class Exchanger:
    """Exchanges with the app's key at one of the `regions`; `clock` gives UNIX seconds."""

    wire: Wire
    settings: Settings
    clock: Callable[[], float]
    regions: Iterable[str] = REGIONS

    def check(self, app: CozeApp) -> tuple[AccessToken | None, list[Finding]]:
        """The token, where Coze gave one, and what is to be said of exchange and region."""
        host = urlsplit(app.api_base).netloc
        try:
            token, log_id = self._mint(app)
        except StsError as failure:
            failed = found(_blame(failure), said=failure.operator or failure.description)
            elsewhere = _key_refused(failure)
            return None, [failed, self._elsewhere(app) if elsewhere else found("region.skipped")]
        done = found("exchange.done", host=host, log_id=log_id or "-")
        return token, [done, found("region.right", host=host)]

    def _elsewhere(self, app: CozeApp) -> Finding:
        """Whether the key is one of the other region's. Only Coze's own hosts are tried."""
        host = urlsplit(app.api_base).netloc
        regions = tuple(self.regions)
        if app.api_base not in regions:
            return found("region.unknown", host=host)
        (other,) = (region for region in regions if region != app.api_base)
        facts = {"host": host, "other": urlsplit(other).netloc}
        try:
            self._mint(replace(app, api_base=other))
        except StsError as failure:
            return found("region.neither" if _key_refused(failure) else "region.unreached", **facts)
        return found("region.other", **facts)

    def _mint(self, app: CozeApp) -> tuple[AccessToken, str | None]:
        session = Session(
            name=SESSION_NAME,
            custom_consumer=SESSION_NAME if self.settings.end_user_quota else None,
            connector_id=self.settings.connector_id,
        )
        return mint(
            self.wire.http,
            app=app,
            settings=self.settings,
            session_name=session.name,
            session_context=session.context,
            clock=self.clock,
            deadline=self.clock() + self.wire.seconds(EXCHANGE_SECONDS),
        )


def _blame(failure: StsError) -> str:
    """What is to be said of an exchange that was not made: Coze is asked after KMS only."""
    if isinstance(failure, UnusableKey):
        return "exchange.unsigned"
    if isinstance(failure, UpstreamUnavailable):
        return "exchange.failing"
    if isinstance(failure, TemporarilyUnavailable):
        return "exchange.kms_failing"
    return "exchange.refused" if _key_refused(failure) else "exchange.denied"


def _key_refused(failure: StsError) -> bool:
    """Whether the region may be the cause. No other refusal says that the host lacks the key."""
    return isinstance(failure, UpstreamRejected) and failure.unauthorized
