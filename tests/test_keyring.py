"""One secret of numbered keys, and a key of its own for every purpose."""

import hashlib
import hmac
import json

import pytest
from coze_sts.errors import Misconfigured
from coze_sts.keyring import Keyring, Purpose, parse_keyring
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY, KEYRING, ROTATED, everything_told

OTHER = Keyring(keys={"2": ROTATED.keys["2"]})
NUMBERS = st.sets(st.integers(1, 10**9 - 1), min_size=1, max_size=5)


def hkdf_sha256(material: bytes, *, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block of output, written out."""
    extracted = hmac.digest(salt or bytes(32), material, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


@given(NUMBERS)
def test_the_highest_number_writes_and_the_lowest_names_users(numbers: set[int]) -> None:
    ring = parse_keyring(json.dumps({str(n): f"{n:064}" for n in numbers}))
    assert ring.newest == str(max(numbers))
    oldest = Keyring(keys={"1": f"{min(numbers):064}".encode()})
    assert ring.pseudonym_key == oldest.pseudonym_key


@given(st.binary(max_size=32))
def test_each_purpose_has_a_key_of_its_own_as_rfc_5869_derives_it(salt: bytes) -> None:
    derived = {purpose: ROTATED.derive(purpose, salt=salt) for purpose in Purpose}
    assert len(set(derived.values())) == len(Purpose)
    for purpose, key in derived.items():
        assert key == hkdf_sha256(b"b" * 64, salt=salt, info=purpose.value)


def test_the_purposes_never_change_their_names() -> None:
    """A new name would rename every user and blind the cache."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        name.upper(): f"coze-sts/v1/{name}".encode()
        for name in ("row", "index", "ticket", "pseudonym", "binding", "day", "log")
    }


def test_a_key_is_derived_from_the_number_that_is_asked_for() -> None:
    assert ROTATED.derive(Purpose.ROW, key_id="1") == KEYRING.derive(Purpose.ROW)
    assert ROTATED.derive(Purpose.ROW) != KEYRING.derive(Purpose.ROW)


@pytest.mark.parametrize("key_id", ["3", "", "01", "１"])
def test_an_unknown_number_never_falls_back_to_another_key(key_id: str) -> None:
    with pytest.raises(KeyError):
        ROTATED.derive(Purpose.ROW, key_id=key_id)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "no json " + CANARY * 4,
        "[" * 100_000,
        "[]",
        "{}",
        json.dumps(CANARY * 4),
        json.dumps([CANARY * 4]),
        json.dumps({"": CANARY * 4}),
        json.dumps({"0": CANARY * 4}),
        json.dumps({"01": CANARY * 4}),
        json.dumps({"-1": CANARY * 4}),
        json.dumps({"１": CANARY * 4}),
        json.dumps({"1" * 5000: CANARY * 4}),
        json.dumps({"1": (CANARY * 4)[:31]}),
        json.dumps({"1": [CANARY] * 40}),
        json.dumps({"1": "\ud800" + CANARY * 4}),
        json.dumps({"1": CANARY * 4, "2": None}),
    ],
)
def test_a_secret_that_is_not_numbered_keys_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(Misconfigured, match="CACHE_KEY_SECRET_ID") as refused:
        parse_keyring(secret)
    assert CANARY not in everything_told(refused.value)


def test_the_secret_that_the_stack_generates_is_accepted() -> None:
    assert parse_keyring(json.dumps({"1": "x" * 64})).keys == {"1": b"x" * 64}


def test_a_keyring_does_not_show_its_keys() -> None:
    assert "aaaa" not in repr(KEYRING)


def test_a_log_hash_tells_names_apart_and_is_worth_nothing_without_the_key() -> None:
    digest = KEYRING.log_hash("u-42")
    assert digest == KEYRING.log_hash("u-42") != KEYRING.log_hash("u-43")
    assert digest != OTHER.log_hash("u-42")
    assert digest not in hashlib.sha256(b"u-42").hexdigest()
    assert len(digest) == 16


def test_what_is_kept_for_long_hangs_on_the_oldest_key_alone() -> None:
    """Pseudonyms and bindings stay for ever, and an audit of a month finds one hash a name."""
    assert ROTATED.pseudonym_key == KEYRING.pseudonym_key != OTHER.pseudonym_key
    assert ROTATED.binding_key == KEYRING.binding_key != OTHER.binding_key
    assert ROTATED.log_hash("u-42") == KEYRING.log_hash("u-42")
    assert KEYRING.pseudonym_key != KEYRING.binding_key


def test_a_day_has_a_key_of_its_own_so_that_two_days_cannot_be_joined() -> None:
    days = [KEYRING.day_key(f"d{number}") for number in range(3)]
    assert len(set(days)) == 3
    assert KEYRING.day_key("d1") == days[1]
    assert ROTATED.day_key("d1") == OTHER.day_key("d1") != days[1], "the newest key's"
