"""A key that cannot sign from here, and what is said of the file that it ought to be in."""

from __future__ import annotations

import json

import pytest
from coze_sts.doctor.document import document

from tests.doctor.clinic import Clinic, KmsKey
from tests.doctor.conftest import See
from tests.doctor.illnesses import (
    ILLNESSES,
    KEY_ARN,
    Illness,
    kms_elsewhere,
    private_key_beside_kms,
    setting,
    short_key,
)

NEEDS_A_KEY = {"clock", "exchange", "region", "permission", "api", "chat_sdk", "opening"}
AT_COZE = {f"{check}.skipped" for check in NEEDS_A_KEY}


def found(clinic: Clinic) -> set[str]:
    return {finding.key for finding in clinic.findings()}


def failures(clinic: Clinic) -> set[str]:
    return {finding.key for finding in clinic.findings() if finding.status == "fail"}


def reached(clinic: Clinic) -> None:
    clinic.kms = KmsKey(clinic.config["private_key"])


def not_reached(_clinic: Clinic) -> None:
    """As on the operator's machine."""


@pytest.mark.parametrize("kms", [reached, not_reached])
def test_a_private_key_beside_kms_is_to_be_removed_and_no_new_one_made(
    clinic: Clinic, kms: Illness
) -> None:
    kms(clinic)
    private_key_beside_kms(clinic)
    assert failures(clinic) == {"key.in_kms"}
    assert clinic.coze.requests == []


def test_a_private_key_is_to_be_removed_too_where_the_settings_name_kms(clinic: Clinic) -> None:
    setting(SIGNING_KEY_ARN=KEY_ARN)(clinic)
    assert failures(clinic) == {"key.in_kms"}


def test_a_file_for_kms_is_right_and_only_its_key_is_not_tried_without_kms(clinic: Clinic) -> None:
    kms_elsewhere(clinic)
    assert failures(clinic) == set()
    assert found(clinic) >= {"config.read", "key.elsewhere", "kid.shaped", *AT_COZE}
    assert clinic.coze.requests == clinic.elsewhere.requests == []


def test_a_file_that_leaves_the_key_to_the_settings_is_right_too(clinic: Clinic) -> None:
    setting(SIGNING_KEY_ARN=KEY_ARN)(clinic)
    clinic.text = json.dumps({k: v for k, v in clinic.config.items() if k != "private_key"})
    assert failures(clinic) == set()
    assert "key.elsewhere" in found(clinic)


def test_a_file_without_any_key_is_not_taken_for_one_of_kms(clinic: Clinic) -> None:
    del clinic.config["private_key"]
    assert failures(clinic) == {"key.faulty"}


def test_the_rest_of_a_file_whose_key_is_unfit_is_looked_at(clinic: Clinic) -> None:
    short_key(clinic)
    assert failures(clinic) == {"key.faulty"}
    assert found(clinic) >= {"config.read", "kid.shaped", *AT_COZE}


@pytest.mark.parametrize("key", ILLNESSES)
def test_nobody_is_sent_to_what_failed_where_nothing_did(seen: See, key: str) -> None:
    findings = document(seen(key).findings, lang="en")["findings"]
    failed = [finding["status"] == "fail" for finding in findings]
    for place, finding in enumerate(findings):
        cure = finding["cure"] or ""
        assert any(failed) or "what failed" not in cure
        assert any(failed[:place]) or "failed above" not in cure
