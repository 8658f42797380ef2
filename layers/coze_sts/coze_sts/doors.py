"""The ways in for visitors: who they are, and what holds for the page that they are on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coze_sts.auth import identity
from coze_sts.auth.guest import Guest, TicketOffice, UnknownTicketKey
from coze_sts.auth.session import Caller
from coze_sts.errors import AccessDenied
from coze_sts.http_event import Request
from coze_sts.keyring import Keyring, Purpose
from coze_sts.policy import Policy
from coze_sts.settings import WECHAT_PREFIX, Settings
from coze_sts.stored_secret import StoredSecret
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from coze_sts.admission import Admission
    from coze_sts.auth.turnstile import TurnstileSecret
    from coze_sts.auth.wechat import WechatApp

THIRD_PARTY_SECONDS = 4
"""For Cloudflare or WeChat, so that most of a request's time is left for Coze."""


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Proves who visitors are. `audience` is the app for which guests' tickets are written.

    Turnstile and WeChat are imported by those who come that way: all others start the sooner.
    """

    settings: Settings
    policy: Policy
    keyring: StoredSecret[Keyring]
    audience: Callable[[], str]
    admission: Callable[[], Admission]
    turnstile: StoredSecret[TurnstileSecret] | None
    wechat: StoredSecret[WechatApp] | None
    http: Callable[[], PoolManager]
    telemetry: Telemetry
    clock: Callable[[], float]

    def user(self, request: Request) -> tuple[Caller, Settings]:
        """Whoever signed in, and the settings for them; InvalidToken, AccessDenied."""
        self._check_origin(request, may_lack=self.settings.allow_no_origin)
        caller = identity.user(
            request.context,
            session_claim=self.settings.session_claim,
            issuers=self.settings.issuers,
            reserved=self.settings.prefixes,
        )
        self.telemetry.note_caller(caller.name, keyring=self.keyring.get())
        return caller, self._settings_for(request, issuer=caller.issuer)

    def guests(self, request: Request) -> Settings:
        """The settings for guests of this page; raises AccessDenied where there are none."""
        self._check_origin(request, may_lack=self.settings.allow_no_origin)
        settings = self._settings_for(request)
        if not settings.guest_sessions:
            raise AccessDenied("Guests are not admitted here: sign in.")
        return settings

    def guest(self, ticket: str | None) -> Guest:
        """The ticket's guest, or a new one without a ticket; raises InvalidToken."""
        guest = self._admit(ticket)
        self.telemetry.note_caller(guest.caller.name, keyring=self.keyring.get())
        return guest

    @contextmanager
    def admitted(
        self, guest: Guest, request: Request, *, settings: Settings, turnstile_token: str | None
    ) -> Iterator[None]:
        """Counts a new guest, who has to be human where that is asked; AccessDenied, SlowDown."""
        if not guest.new:
            yield
            return
        if self.turnstile is not None and not turnstile_token:
            from coze_sts.auth.turnstile import REFUSAL  # noqa: PLC0415

            raise AccessDenied(REFUSAL)
        with self.admission().new_guest(request, settings=settings):
            self._verify_human(request, turnstile_token)
            yield

    def carried(self, ticket: str, *, settings: Settings) -> Caller:
        """The guest whose session a user wants to keep; InvalidToken, AccessDenied."""
        if not settings.guest_sessions or settings.binding_table is None:
            raise AccessDenied(
                "A guest's conversation cannot be carried over here.",
                operator="guest_ticket at sign-in needs GUEST_SESSIONS and BINDING_TABLE.",
            )
        guest = self._admit(ticket).caller
        self.telemetry.note(guest=self.keyring.get().log_hash(guest.name))
        return guest

    def wechat_user(self, code: str) -> Caller:
        """Whose wx.login gave `code`; raises AccessDenied, InvalidToken, SlowDown and more."""
        if self.wechat is None:
            raise AccessDenied("WeChat users are not admitted here: see WechatSecretId.")
        from coze_sts.auth.wechat import openid_of  # noqa: PLC0415

        openid = openid_of(
            self.http(),
            app=self.wechat.get(),
            api_base=self.settings.wechat_api_base,
            code=code,
            seconds=THIRD_PARTY_SECONDS,
        )
        caller = Caller(kind="user", name=WECHAT_PREFIX + openid)
        self.telemetry.note_caller(caller.name, keyring=self.keyring.get())
        return caller

    def mini_program(self, request: Request) -> Settings:
        """The settings for a mini-program, which sends no Origin; AccessDenied."""
        self._check_origin(request, may_lack=True)
        return self.policy.settings_for(self.settings, origin=None, issuer=None)

    def _verify_human(self, request: Request, token: str | None) -> None:
        """After the limits: whom they refuse anyway costs no call and no challenge."""
        if self.turnstile is None:
            return
        from coze_sts.auth.turnstile import hostnames_of, verify_human  # noqa: PLC0415

        allowed = [request.origin] if request.origin else self.settings.allowed_origins
        verify_human(
            self.http(),
            secret=self.turnstile.get(),
            api_base=self.settings.turnstile_api_base,
            token=token,
            remote_ip=request.source_ip or None,
            hostnames=hostnames_of(allowed),
            seconds=THIRD_PARTY_SECONDS,
        )

    def _check_origin(self, request: Request, *, may_lack: bool) -> None:
        """API Gateway only withholds CORS headers from a foreign page; here it gets no token."""
        origin = request.origin
        known = origin in self.settings.allowed_origins
        self.telemetry.note(origin=origin if known else "foreign" if origin else "none")
        if not known and (origin is not None or not may_lack):
            raise AccessDenied(
                "This page may not ask for tokens: see AllowedOrigins, and AllowNoOrigin for "
                "what is no page."
            )

    def _settings_for(self, request: Request, *, issuer: str | None = None) -> Settings:
        return self.policy.settings_for(self.settings, origin=request.origin, issuer=issuer)

    def _admit(self, ticket: str | None) -> Guest:
        try:
            return self._office(self.keyring.get()).admit(ticket, now=self.clock())
        except UnknownTicketKey:
            # The ticket may be signed with a key that was added since this process last looked.
            return self._office(self.keyring.renewed()).admit(ticket, now=self.clock())

    def _office(self, keyring: Keyring) -> TicketOffice:
        return TicketOffice(
            keys={number: keyring.derive(Purpose.TICKET, key_id=number) for number in keyring.keys},
            newest=keyring.newest,
            audience=self.audience(),
            random_bytes=os.urandom,
        )
