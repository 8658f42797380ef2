"""Scenarios in which KMS signs, refuses to, or is named beside a private key after all."""

from __future__ import annotations

import json
from functools import partial

from coze_sts.coze.private_key import load_private_key

from tests.canaries.aws_faults import FAILURES, Failure, client_error, everything, failing
from tests.canaries.everybody import page_and_server
from tests.canaries.site import Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import server
from tests.kms import digests_signed, import_key


def _in_kms(site: Site) -> None:
    """Moves the current key into KMS, and starts the functions anew."""
    config = site.keys.config("current")
    arn = import_key(load_private_key(config["private_key"]))
    without_key = {name: value for name, value in config.items() if name != "private_key"}
    site.account.store(coze=json.dumps(without_key))
    site.restart(SIGNING_KEY_ARN=arn)


def _ask(site: Site) -> None:
    for visit in (*page_and_server(), server("POST /backend/assertion")):
        site.ask(visit)


def kms_signs(site: Site) -> None:
    with digests_signed():
        _in_kms(site)
        _ask(site)


def kms_fails(failure: Failure, site: Site) -> None:
    _in_kms(site)
    error = failure(everything(site))
    with failing(site.app("token").KMS(), "kms.Sign", error):
        _ask(site)
    with failing(site.app("assertion").KMS(), "kms.Sign", error):
        _ask(site)


def private_key_beside(site: Site) -> None:
    """The operator names a key of KMS, and stores the file with the private key all the same."""
    arn = import_key(load_private_key(site.keys.config("current")["private_key"]))
    site.restart(SIGNING_KEY_ARN=arn)
    _ask(site)


SCENARIOS: dict[str, Scenario] = {
    "KMS signs": kms_signs,
    **{f"KMS: {name}": partial(kms_fails, failure) for name, failure in FAILURES.items()},
    "KMS: throttled": partial(kms_fails, client_error("ThrottlingException")),
    "a private key beside KMS": private_key_beside,
}
