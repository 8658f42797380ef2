"""Who is to blame where there is no token: the key, KMS, Coze or the region."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from coze_sts.coze.signer import CURES
from coze_sts.doctor.report import Finding

from tests.doctor.clinic import Clinic
from tests.doctor.illnesses import kms_raises, kms_says, region

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "Sign")
DENIED = {"error_code": "access_deny", "error_message": "app is not installed in the workspace"}
BAD_SIGNATURE = {"error_code": "invalid_client", "error_message": "jwt signature is invalid"}
NO_CLIENT = {"error_code": "unauthorized", "error_message": "no"}


def verdict(clinic: Clinic) -> tuple[Finding, str]:
    """The exchange, and what is said of the region."""
    by_check = {finding.check: finding for finding in clinic.findings()}
    return by_check["exchange"], by_check["region"].key


def exchanges(clinic: Clinic) -> list[int]:
    """How many each region was asked for."""
    asked = (clinic.coze.requests, clinic.elsewhere.requests)
    return [sum(method == "POST" for method, _, _ in requests) for requests in asked]


@pytest.mark.parametrize("code", CURES)
def test_a_key_that_kms_does_not_sign_with_is_not_told_as_cozes_refusal(
    clinic: Clinic, code: str
) -> None:
    kms_says(code)(clinic)
    exchange, of_the_region = verdict(clinic)
    assert (exchange.key, of_the_region) == ("exchange.unsigned", "region.skipped")
    assert f"({code}): {CURES[code]}" in str(exchange.facts["said"])
    assert exchanges(clinic) == [0, 0]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (THROTTLED, "ThrottlingException"),
        (ClientError({"Error": {"Code": "KMSInternalException"}}, "Sign"), "KMSInternalException"),
        (EndpointConnectionError(endpoint_url="https://kms"), "EndpointConnectionError"),
    ],
)
def test_kms_that_fails_for_now_is_not_told_as_cozes_refusal(
    clinic: Clinic, refusal: Exception, code: str
) -> None:
    kms_raises(refusal)(clinic)
    exchange, of_the_region = verdict(clinic)
    assert (exchange.key, of_the_region) == ("exchange.kms_failing", "region.skipped")
    assert code in str(exchange.facts["said"])
    assert exchanges(clinic) == [0, 0]


@pytest.mark.parametrize(
    ("status", "body"), [(401, BAD_SIGNATURE), (400, BAD_SIGNATURE), (401, NO_CLIENT)]
)
def test_the_other_region_is_asked_where_coze_does_not_accept_who_signed(
    clinic: Clinic, status: int, body: dict[str, str]
) -> None:
    region(here=True, there=True)(clinic)
    clinic.here.fail_next(status=status, body=body)
    exchange, of_the_region = verdict(clinic)
    assert (exchange.key, of_the_region) == ("exchange.refused", "region.other")
    assert exchanges(clinic) == [1, 1]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, DENIED),
        (400, {"error_code": "invalid_request"}),
        (400, {"error_code": "unsupported_grant_type"}),
        (404, {}),
    ],
)
def test_the_other_region_is_not_asked_where_coze_refuses_for_another_reason(
    clinic: Clinic, status: int, body: dict[str, str]
) -> None:
    clinic.here.fail_next(status=status, body=body)
    exchange, of_the_region = verdict(clinic)
    assert (exchange.key, of_the_region) == ("exchange.denied", "region.skipped")
    assert exchanges(clinic) == [1, 0]


def test_the_other_region_that_refuses_for_another_reason_may_be_the_keys(clinic: Clinic) -> None:
    region(here=False, there=True)(clinic)
    clinic.there.fail_next(status=403, body=DENIED)
    assert verdict(clinic)[1] == "region.unreached"


def test_kms_that_does_not_sign_for_the_other_region_says_nothing_of_the_key_there(
    clinic: Clinic,
) -> None:
    region(here=False, there=True)(clinic)
    kms_raises(THROTTLED, signatures=1)(clinic)
    exchange, of_the_region = verdict(clinic)
    assert (exchange.key, of_the_region) == ("exchange.refused", "region.unreached")
