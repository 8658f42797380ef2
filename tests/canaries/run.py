"""Runs every scenario at a log level, and says what was found where it must not be."""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

import pytest
from coze_sts.coze import private_key
from coze_sts.errors import StsError
from coze_sts.keyring import Purpose, parse_keyring
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from moto import mock_aws

from tests.aws_session import AwsSession
from tests.canaries import planted
from tests.canaries.account import Account
from tests.canaries.cold_start import TALKATIVE
from tests.canaries.evidence import GIVEN, OWN, Evidence, Trace, everything_watched
from tests.canaries.grep import Canary, Find, Grep
from tests.canaries.keys import Keys
from tests.canaries.outsiders import outsiders
from tests.canaries.site import BY_PSEUDONYM, Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import SIGN_IN_TOKEN

NAMES = ("sub", "sub in Chinese", "session_name", "openid")
BESIDE_NAMES = ("device_id", "custom_consumer", "assertion")
MEANT: dict[str, set[str]] = {
    **{kind: {"asked of Coze"} for kind in NAMES},
    **{kind: {"asked of Coze", BY_PSEUDONYM} for kind in BESIDE_NAMES},
    "guest's name": {"asked of Coze", BY_PSEUDONYM, "binding table"},
    "code": {"asked of WeChat"},
    "WeChat secret": {"asked of WeChat"},
    "Turnstile secret": {"asked of Cloudflare"},
    "Turnstile token": {"asked of Cloudflare"},
    "source address": {"asked of Cloudflare"},
    "source address in IPv6": {"asked of Cloudflare"},
}
"""Where each kind may be. What an answer is for was taken out of it before it is looked at."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A secret where it must not be."""

    scenario: str
    place: str
    find: Find


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a run. `met` counts in how many traces of a place each kind was found."""

    leaks: list[Leak]
    met: Counter[tuple[str, str]]
    canaries: list[Canary]
    site: Site
    evidence: Evidence

    @property
    def kinds(self) -> set[str]:
        return {canary.kind for canary in self.canaries}


@contextmanager
def levels_restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", *TALKATIVE)]
    kept = [logger.level for logger in loggers]
    try:
        yield
    finally:
        for logger, number in zip(loggers, kept, strict=True):
            logger.setLevel(number)


def run(scenarios: Mapping[str, Scenario], *, level: str) -> Report:
    """Everything that the scenarios leave behind, looked through for everything planted."""
    with (
        mock_aws(),
        pytest.MonkeyPatch.context() as patch,
        outsiders() as others,
        everything_watched() as evidence,
        levels_restored(),
        # What takes long and is the same at each cold start is made once.
        mock.patch("botocore.session.Session", AwsSession),
        mock.patch.object(private_key, "load_pem_private_key", cache(load_pem_private_key)),
    ):
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        site = Site(
            level=level,
            evidence=evidence,
            outsiders=others,
            keys=Keys.make(others.urls["Coze"]),
            account=Account(evidence=evidence),
            patch=patch,
        )
        with _errors_kept(site):
            for name, scenario in scenarios.items():
                site.begin(name)
                scenario(site)
                site.end()
    canaries = [*planted.planted(), *site.keys.canaries(), *_derived(), *site.harvest.canaries]
    return look_through(evidence, canaries=canaries, site=site)


def look_through(evidence: Evidence, *, canaries: list[Canary], site: Site) -> Report:
    grep, met, leaks = Grep(canaries), Counter[tuple[str, str]](), []
    for trace in evidence.traces:
        for find in sorted(grep(trace.text)):
            met[find.kind, trace.place] += 1
            if not _is_meant(find, trace):
                leaks.append(Leak(scenario=trace.scenario, place=trace.place, find=find))
    return Report(leaks=leaks, met=met, canaries=canaries, site=site, evidence=evidence)


def _is_meant(find: Find, trace: Trace) -> bool:
    return trace.place in {GIVEN, OWN} | MEANT.get(find.kind, set())


@contextmanager
def _errors_kept(site: Site) -> Iterator[None]:
    made = StsError.__init__

    def keep(error: StsError, *args: Any, **more: Any) -> None:
        made(error, *args, **more)
        site.raised.append(error)
        site.raised_kinds.add(type(error))

    with mock.patch.object(StsError, "__init__", keep):
        yield


def _derived() -> Iterator[Canary]:
    """The keys that are made of the cache keys."""
    ring = parse_keyring(json.dumps(planted.CACHE_KEYS))
    for number in ring.keys:
        for purpose in Purpose:
            key = ring.derive(purpose, key_id=number)
            for text in (key.hex(), base64.b64encode(key).decode()):
                yield Canary(kind="derived key", text=text, long=True)
    # Its claims are planted one by one, and one of them names the session.
    yield Canary(kind="sign-in token", text=SIGN_IN_TOKEN.split(".")[2], long=True)
