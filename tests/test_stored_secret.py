"""A secret in memory: fetched seldom, parsed once per version, kept when AWS fails."""

import json
from collections.abc import Iterator
from itertools import pairwise

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError
from botocore.stub import Stubber
from coze_sts.errors import Misconfigured, StsError, TemporarilyUnavailable
from coze_sts.keyring import Keyring, parse_keyring
from coze_sts.stored_secret import (
    KEEP_SECONDS,
    MIN_AGE_SECONDS,
    RETRY_SECONDS,
    TTL_SECONDS,
    SecretVersion,
    StoredSecret,
    fetch_secret,
)
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from tests.factories import CANARY, Clock, everything_told

OUTAGE = TemporarilyUnavailable("Secrets Manager did not answer.")


class Vault:
    """Secrets Manager with one secret; `failure` makes it fail. Counts what it is asked."""

    def __init__(self, text: str = "one") -> None:
        self.text = text
        self.version = 1
        self.failure: StsError | None = None
        self.fetches = 0
        self.parses = 0
        self.checked: list[str] = []
        self.heard: list[StsError] = []

    def put(self, text: str) -> None:
        self.text, self.version = text, self.version + 1

    def fetch(self) -> SecretVersion:
        self.fetches += 1
        if self.failure:
            raise self.failure
        return SecretVersion(version_id=str(self.version), text=self.text)

    def parse(self, text: str) -> str:
        self.parses += 1
        if text.startswith("bad"):
            raise Misconfigured("private_key is missing.")
        return f"parsed {text}"

    def check(self, value: str) -> None:
        self.checked.append(value)
        if value.endswith("faulty"):
            raise Misconfigured("private_key is no key.")

    def secret(self, clock: Clock) -> StoredSecret[str]:
        return StoredSecret(
            fetch=self.fetch,
            parse=self.parse,
            clock=clock,
            on_failure=self.heard.append,
            check=self.check,
        )


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def secret(vault: Vault, clock: Clock) -> StoredSecret[str]:
    return vault.secret(clock)


@given(st.lists(st.floats(0, TTL_SECONDS), max_size=30))
def test_it_is_fetched_seldom_but_never_older_than_a_quarter_of_an_hour(waits: list[float]) -> None:
    vault, clock, fetched_at = Vault(), Clock(), []
    secret = vault.secret(clock)
    for wait in [0, *waits]:
        clock.now += wait
        before = vault.fetches
        assert secret.get() == "parsed one"
        if vault.fetches > before:
            fetched_at.append(clock.now)
        assert clock.now - fetched_at[-1] < TTL_SECONDS
    assert all(later - earlier >= TTL_SECONDS / 2 for earlier, later in pairwise(fetched_at))


def test_processes_that_started_together_do_not_ask_again_together(clock: Clock) -> None:
    vaults = [Vault() for _ in range(64)]
    secrets = [vault.secret(clock) for vault in vaults]
    for moment in (0, TTL_SECONDS * 0.75):
        clock.now += moment
        for secret in secrets:
            secret.get()
    assert 0 < sum(vault.fetches == 2 for vault in vaults) < 64


def test_a_version_is_parsed_once(vault: Vault, secret: StoredSecret[str], clock: Clock) -> None:
    for _ in range(20):
        secret.get()
        clock.now += TTL_SECONDS
    assert (vault.fetches, vault.parses) == (20, 1)
    vault.put("two")
    assert secret.get() == "parsed two"
    assert vault.parses == 2


def test_what_replaces_nothing_is_not_checked_and_what_replaces_a_value_is(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    """A check may take long: the first request of a process does not wait for it."""
    secret.get()
    assert vault.checked == []
    vault.put("two")
    clock.now += TTL_SECONDS
    secret.get()
    assert vault.checked == ["parsed two"]


@pytest.mark.parametrize("text", ["bad", "faulty"])
def test_a_bad_new_version_does_not_replace_a_good_one(
    vault: Vault, secret: StoredSecret[str], clock: Clock, text: str
) -> None:
    secret.get()
    vault.put(text)
    clock.now += TTL_SECONDS
    assert secret.get() == "parsed one"
    assert [type(failure) for failure in vault.heard] == [Misconfigured]
    vault.put("three")
    clock.now += RETRY_SECONDS
    assert secret.get() == "parsed three"


def test_a_rollback_to_the_good_version_is_not_parsed_again(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    secret.get()
    vault.put("bad")
    clock.now += TTL_SECONDS
    secret.get()
    vault.version, vault.text = 1, "one"
    clock.now += RETRY_SECONDS
    assert (secret.get(), vault.parses) == ("parsed one", 2)


@pytest.mark.parametrize("failure", [OUTAGE, Misconfigured("Access denied.")])
def test_the_last_good_value_serves_for_a_day_and_no_longer(
    vault: Vault, secret: StoredSecret[str], clock: Clock, failure: StsError
) -> None:
    secret.get()
    vault.failure = failure
    clock.now += KEEP_SECONDS - 1
    assert secret.get() == "parsed one"
    assert vault.heard == [failure]
    clock.now += 1
    with pytest.raises(type(failure)) as refused:
        secret.get()
    assert refused.value is failure


def test_the_day_counts_from_the_last_success(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    secret.get()
    clock.now += KEEP_SECONDS - 1
    secret.get()
    vault.failure = OUTAGE
    clock.now += KEEP_SECONDS - 1
    assert secret.get() == "parsed one"


def test_a_failure_is_remembered_for_five_seconds(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    vault.failure = OUTAGE
    for wait in (0, 1, 3.9):
        clock.now += wait
        with pytest.raises(TemporarilyUnavailable) as refused:
            secret.get()
        assert refused.value is OUTAGE
    assert (vault.fetches, RETRY_SECONDS) == (1, 5)
    vault.failure = None
    clock.now += 0.2
    assert secret.get() == "parsed one"
    assert len(vault.heard) == 1


def test_a_process_that_was_frozen_for_days_asks_before_it_answers(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    secret.get()
    vault.put("two")
    clock.now += 5 * KEEP_SECONDS
    assert secret.get() == "parsed two"


def test_a_value_that_something_speaks_against_is_asked_for_anew_once_a_minute(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    secret.get()
    vault.put("two")
    for wait in (0, 1, MIN_AGE_SECONDS - 1.1):
        clock.now += wait
        assert secret.renewed() == "parsed one"
    clock.now += 0.1
    assert (secret.renewed(), secret.get()) == ("parsed two", "parsed two")
    assert (vault.fetches, MIN_AGE_SECONDS) == (2, 60)


@given(st.lists(st.floats(0, 90), min_size=1, max_size=30))
def test_asking_anew_however_often_costs_one_fetch_a_minute(waits: list[float]) -> None:
    vault, clock, fetched_at = Vault(), Clock(), []
    secret = vault.secret(clock)
    for wait in waits:
        clock.now += wait
        before = vault.fetches
        secret.renewed()
        fetched_at += [clock.now] * (vault.fetches - before)
    assert all(later - earlier >= MIN_AGE_SECONDS for earlier, later in pairwise(fetched_at))


def test_a_value_that_was_asked_for_anew_is_good_for_its_whole_time(
    vault: Vault, secret: StoredSecret[str], clock: Clock
) -> None:
    secret.get()
    clock.now += TTL_SECONDS / 2 - 1
    secret.renewed()
    clock.now += TTL_SECONDS / 2 - 1
    secret.get()
    assert vault.fetches == 2


@pytest.mark.parametrize("failure", [OUTAGE, Misconfigured("Access denied.")])
def test_asking_anew_in_vain_costs_nobody_the_value(
    vault: Vault, secret: StoredSecret[str], clock: Clock, failure: StsError
) -> None:
    secret.get()
    vault.failure = failure
    clock.now += MIN_AGE_SECONDS
    assert [secret.renewed() for _ in range(3)] == ["parsed one"] * 3
    assert (vault.fetches, vault.heard) == (2, [failure])
    vault.failure, vault.text, vault.version = None, "bad", 2
    clock.now += MIN_AGE_SECONDS
    assert secret.renewed() == "parsed one"


def test_a_value_that_was_never_there_is_fetched_when_it_is_asked_for_anew(
    vault: Vault, secret: StoredSecret[str]
) -> None:
    assert secret.renewed() == "parsed one"
    assert vault.fetches == 1


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def test_the_current_version_is_fetched_with_its_id(client: SecretsManagerClient) -> None:
    first = client.create_secret(Name="coze", SecretString="one")
    assert fetch_secret(client, secret_id="coze").text == "one"
    second = client.put_secret_value(SecretId="coze", SecretString="two")
    fetched = fetch_secret(client, secret_id=first["ARN"])
    assert fetched == SecretVersion(version_id=second["VersionId"], text="two")


def test_a_new_version_of_the_real_shape_reaches_the_parsed_value(
    client: SecretsManagerClient, clock: Clock
) -> None:
    def put(keys: dict[str, str]) -> None:
        client.put_secret_value(SecretId="cache", SecretString=json.dumps(keys))

    client.create_secret(Name="cache")
    put({"1": "x" * 64})
    ring: StoredSecret[Keyring] = StoredSecret(
        fetch=lambda: fetch_secret(client, secret_id="cache"),
        parse=parse_keyring,
        clock=clock,
        on_failure=pytest.fail,
    )
    assert ring.get().newest == "1"
    put({"1": "x" * 64, "2": "y" * 64})
    assert ring.get().newest == "1"
    clock.now += TTL_SECONDS
    assert ring.get().newest == "2"


def test_a_binary_secret_is_an_empty_text_which_no_parser_takes(
    client: SecretsManagerClient,
) -> None:
    client.create_secret(Name="cache", SecretBinary=CANARY.encode())
    assert fetch_secret(client, secret_id="cache").text == ""


def test_a_secret_without_a_value_tells_the_command_that_stores_one(
    client: SecretsManagerClient,
) -> None:
    with pytest.raises(Misconfigured, match=r"put-secret-value --secret-id coze") as refused:
        fetch_secret(client, secret_id="coze")
    assert "coze" not in refused.value.description


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Misconfigured),
        ("DecryptionFailure", Misconfigured),
        ("InternalServiceError", TemporarilyUnavailable),
        ("ThrottlingException", TemporarilyUnavailable),
        ("SomethingNew", TemporarilyUnavailable),
    ],
)
def test_aws_is_told_apart_by_its_code_and_never_quoted(
    client: SecretsManagerClient, code: str, kind: type[StsError]
) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", code, f"role {CANARY} may not")
        with pytest.raises(kind) as refused:
            fetch_secret(client, secret_id="coze")
    assert code in (refused.value.operator or "")
    assert CANARY not in everything_told(refused.value)


@pytest.mark.parametrize("failure", [ConnectTimeoutError, EndpointConnectionError])
def test_a_network_that_fails_is_temporary(
    client: SecretsManagerClient, monkeypatch: pytest.MonkeyPatch, failure: type[BotoCoreError]
) -> None:
    def fail(**_: object) -> None:
        raise failure(endpoint_url=CANARY)

    monkeypatch.setattr(client, "get_secret_value", fail)
    with pytest.raises(TemporarilyUnavailable) as refused:
        fetch_secret(client, secret_id="coze")
    assert failure.__name__ in (refused.value.operator or "")
    assert CANARY not in everything_told(refused.value)
