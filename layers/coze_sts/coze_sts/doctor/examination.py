"""Every check in turn; those that need what another did not find say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coze_sts.coze.app_key import CozeApp
from coze_sts.doctor.checks import channels, clock, config, oidc, preflight, table
from coze_sts.doctor.checks.exchange import REGIONS, Exchanger
from coze_sts.doctor.checks.permissions import Permissions
from coze_sts.doctor.question import Question
from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import ApiAnswer, CozeApi, Wire
from coze_sts.errors import Misconfigured
from coze_sts.settings import Settings

if TYPE_CHECKING:
    from urllib3 import PoolManager

TOTAL_SECONDS = 45
"""For everything, so that whoever waits for the function gets its report."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What is looked at. `secret` gives the text of coze_oauth_config.json or raises StsError.

    `parser` gives what reads that text.

    `describe_ttl` is DescribeTimeToLive of the table, None before there is one; `clock` gives
    UNIX seconds. Without `reaches_kms` nothing is signed with a key in KMS.
    """

    settings: Callable[[], Settings]
    secret: Callable[[Settings], str]
    parser: Callable[[Settings], Callable[[str], CozeApp]]
    describe_ttl: Callable[[Settings], Mapping[str, Any]] | None
    http: PoolManager
    clock: Callable[[], float]
    regions: Iterable[str] = REGIONS
    reaches_kms: bool = True


def examine(patient: Patient, question: Question) -> list[Finding]:
    """What was found, in the order in which one thing needs another."""
    try:
        settings = patient.settings()
    except Misconfigured as fault:
        return [found("settings.faulty", faults=str(fault))]
    wire = Wire(http=patient.http, ends=time.monotonic() + TOTAL_SECONDS)
    describe = patient.describe_ttl
    parse = patient.parser(settings)
    app, findings = config.check(
        lambda: patient.secret(settings), parse=parse, reaches_kms=patient.reaches_kms
    )
    return [
        found("settings.read"),
        *findings,
        *_coze(patient, question, settings=settings, app=app, wire=wire),
        *preflight.check(
            wire,
            endpoint=question.endpoint,
            origins=(question.origin,) if question.origin else settings.allowed_origins,
        ),
        *([oidc.check(wire, issuer=issuer.url) for issuer in settings.issuers] or [NO_ISSUER]),
        table.check(None if describe is None else lambda: describe(settings)),
    ]


NO_ISSUER = found("oidc.skipped")


def _coze(
    patient: Patient, question: Question, *, settings: Settings, app: CozeApp | None, wire: Wire
) -> list[Finding]:
    """Everything that Coze is asked."""
    bot_id = question.bot_id or next(iter(settings.coze_bot_ids), None)
    answers: dict[str, ApiAnswer] = {}
    findings = [found(f"{check}.skipped") for check in ("clock", "exchange", "region")]
    permissions = [found("permission.skipped")]
    token = None
    if app is not None:
        exchanger = Exchanger(
            wire=wire, settings=settings, clock=patient.clock, regions=patient.regions
        )
        now = clock.check(wire, api_base=app.api_base, clock=patient.clock)
        token, exchanged = exchanger.check(app)
        findings = [now, *exchanged]
    if app is not None and token is not None:
        api = CozeApi(wire=wire, api_base=app.api_base, access_token=token.value)
        asked = Permissions(api=api, bot_id=bot_id, channel_app=bool(settings.coze_bot_ids))
        answers = asked.ask()
        permissions = [*asked.findings(answers)]
    return [*findings, *permissions, *channels.check(answers, bot_id=bot_id)]
