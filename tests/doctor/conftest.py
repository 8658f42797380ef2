from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from coze_sts.doctor.report import Finding

from tests.doctor.clinic import Clinic
from tests.doctor.illnesses import ILLNESSES
from tests.local.coze import demo_config


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was found of a patient, and what must not be told of them."""

    findings: list[Finding]
    secrets: list[str]


See = Callable[[str], Seen]


@pytest.fixture(scope="session")
def demo_app() -> tuple[dict[str, str], str]:
    return demo_config("")


@pytest.fixture
def clinic(demo_app: tuple[dict[str, str], str]) -> Iterator[Clinic]:
    config, public_pem = demo_app
    with Clinic(config=config, public_pem=public_pem) as clinic:
        yield clinic


@pytest.fixture(scope="session")
def seen(demo_app: tuple[dict[str, str], str]) -> See:
    """Each illness is looked at once for the whole run."""
    config, public_pem = demo_app

    @cache
    def see(key: str) -> Seen:
        with Clinic(config=config, public_pem=public_pem) as clinic:
            ILLNESSES[key](clinic)
            findings = clinic.findings()
            tokens = {**clinic.here.tokens, **clinic.there.tokens}
            lines = clinic.config["private_key"].splitlines()[1:-1]
            return Seen(findings=findings, secrets=[*lines, *tokens])

    return see
