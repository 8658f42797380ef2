"""Encryption of a row: what was altered opens as nothing, never as another token."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from coze_sts.access_token import AccessToken
from coze_sts.cache.row import Sealed
from coze_sts.cache.seal import seal, unseal
from coze_sts.keyring import Keyring, Purpose
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import KEYRING, NOW, ROTATED, make_token

TIMES = st.integers(0, 2**40)
TOKENS = st.builds(
    AccessToken,
    value=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    kid=st.text(max_size=10),
    issued_at=TIMES,
    expires_at=TIMES,
    refresh_at=TIMES,
    forced=st.booleans(),
)
ROW = seal(make_token(), pk="t1#a", keyring=KEYRING)


@given(TOKENS, st.text(max_size=20))
def test_what_was_sealed_opens_as_it_was(token: AccessToken, pk: str) -> None:
    assert unseal(seal(token, pk=pk, keyring=KEYRING), pk=pk, keyring=KEYRING) == token


CHANGES: dict[str, Callable[[Sealed], Any]] = {
    "ek": lambda row: "2",
    "kid": lambda row: row.kid + "x",
    "issued_at": lambda row: row.issued_at + 1,
    "expires_at": lambda row: row.expires_at + 1,
    "refresh_at": lambda row: row.refresh_at + 1,
    "forced": lambda row: not row.forced,
}


@pytest.mark.parametrize("attribute", CHANGES)
def test_a_row_with_any_attribute_altered_is_a_miss(attribute: str) -> None:
    altered = replace(ROW, **{attribute: CHANGES[attribute](ROW)})
    assert unseal(altered, pk="t1#a", keyring=ROTATED) is None


def test_every_attribute_of_a_row_is_authenticated() -> None:
    assert CHANGES.keys() | {"ct"} == vars(ROW).keys()


@given(st.integers(0, 8 * len(ROW.ct) - 1))
def test_a_single_bit_changed_is_a_miss(bit: int) -> None:
    ct = bytearray(ROW.ct)
    ct[bit // 8] ^= 1 << bit % 8
    assert unseal(replace(ROW, ct=bytes(ct)), pk="t1#a", keyring=KEYRING) is None


@given(st.binary(max_size=60) | st.integers(0, len(ROW.ct) - 1).map(lambda n: ROW.ct[:n]))
def test_a_ciphertext_cut_or_planted_is_a_miss(ct: bytes) -> None:
    assert unseal(replace(ROW, ct=ct), pk="t1#a", keyring=KEYRING) is None


def test_a_row_put_under_another_sessions_key_is_a_miss() -> None:
    assert unseal(ROW, pk="t1#b", keyring=KEYRING) is None


def test_the_parts_of_two_rows_cannot_be_mixed() -> None:
    other = seal(make_token("czs_two", kid="kid-2"), pk="t1#a", keyring=KEYRING)
    assert unseal(replace(ROW, ct=other.ct), pk="t1#a", keyring=KEYRING) is None


def test_after_a_rotation_both_keys_read_and_the_newest_writes() -> None:
    assert unseal(ROW, pk="t1#a", keyring=ROTATED) == make_token()
    assert seal(make_token(), pk="t1#a", keyring=ROTATED).ek == "2"
    removed = Keyring(keys={"2": ROTATED.keys["2"]})
    assert unseal(ROW, pk="t1#a", keyring=removed) is None


@pytest.mark.parametrize("ek", ["", "3", "１", "x"])
def test_an_unknown_key_is_a_miss_and_no_error(ek: str) -> None:
    assert unseal(replace(ROW, ek=ek), pk="t1#a", keyring=KEYRING) is None


def test_each_write_has_a_salt_and_a_nonce_of_its_own_and_so_a_key() -> None:
    written = [seal(make_token(), pk="t1#a", keyring=KEYRING).ct for _ in range(200)]
    assert len({ct[:16] for ct in written}) == len({ct[16:28] for ct in written}) == 200


def test_the_ciphertext_is_aes_256_gcm_under_the_row_key() -> None:
    """Written out, so that a row outlives a release."""
    row = seal(make_token(), pk="t1#a", keyring=KEYRING, random_bytes=lambda n: bytes(range(n)))
    key = KEYRING.derive(Purpose.ROW, salt=bytes(range(16)))
    associated = f'["t1#a", "1", "kid-1", {NOW}, {NOW + 3600}, {NOW + 2160}, false]'.encode()
    assert len(key) == 32
    expected = AESGCM(key).encrypt(bytes(range(12)), b"czs_one", associated)
    assert row.ct == bytes(range(16)) + bytes(range(12)) + expected


def test_neither_the_token_nor_its_ciphertext_is_shown() -> None:
    assert b"czs_one" not in ROW.ct
    assert "czs_one" not in repr(ROW)
    assert "ct=" not in repr(ROW)
