"""What an item of the table is read as, whoever wrote it."""

from typing import Any

import pytest
from coze_sts.cache.row import DamagedRowError, FleetHold, Row, Sealed, read_hold, read_row

TOKEN: dict[str, dict[str, Any]] = {
    "ct": {"B": b"x" * 40},
    "ek": {"S": "1"},
    "kid": {"S": "kid-1"},
    "issued_at": {"N": "1"},
    "expires_at": {"N": "3"},
    "refresh_at": {"N": "2"},
    "forced": {"BOOL": True},
}
ITEM: dict[str, dict[str, Any]] = {
    "pk": {"S": "t1#a"},
    "gen": {"N": "7"},
    "lease_id": {"S": "me"},
    "lease_until": {"N": "4"},
    "retry_at": {"N": "5"},
    "fail_n": {"N": "6"},
    "err": {"S": "server_error"},
}
SEALED = Sealed(
    ct=b"x" * 40, ek="1", kid="kid-1", issued_at=1, expires_at=3, refresh_at=2, forced=True
)
HOLD = {"pk": {"S": "c1#a"}, "hold_until": {"N": "5"}, "err": {"S": "x"}, "kid": {"S": "kid-1"}}
ODD: dict[str, dict[str, Any]] = {
    "null": {"NULL": True},
    "set": {"SS": ["x"]},
    "fraction": {"N": "1.5"},
    "list": {"L": []},
    "map": {"M": {"S": {"S": "x"}}},
}
odd = pytest.mark.parametrize("shape", ODD.values(), ids=ODD)


def test_every_attribute_is_read() -> None:
    row = Row(
        pk="t1#a",
        gen=7,
        sealed=SEALED,
        lease_id="me",
        lease_until=4,
        retry_at=5,
        fail_n=6,
        error="server_error",
    )
    assert read_row(ITEM | TOKEN | {"purge_at": {"N": "8"}, "anything": {"L": []}}) == row


def test_a_row_needs_no_more_than_its_key_and_its_count_of_leases() -> None:
    assert read_row({"pk": {"S": "t1#a"}, "gen": {"N": "7"}}) == Row(pk="t1#a", gen=7)
    for name in ("pk", "gen"):
        with pytest.raises(DamagedRowError):
            read_row({key: value for key, value in ITEM.items() if key != name})


@odd
@pytest.mark.parametrize("name", ITEM)
def test_an_attribute_of_another_shape_damages_the_row(name: str, shape: dict[str, Any]) -> None:
    with pytest.raises(DamagedRowError) as damaged:
        read_row(ITEM | {name: shape})
    assert damaged.value.__cause__ is None


@odd
@pytest.mark.parametrize("name", TOKEN)
def test_a_token_of_another_shape_leaves_the_lease_readable(
    name: str, shape: dict[str, Any]
) -> None:
    row = read_row(ITEM | TOKEN | {name: shape})
    assert (row.sealed, row.sealed_damaged, row.lease_id) == (None, True, "me")


@pytest.mark.parametrize("name", TOKEN)
def test_a_token_of_which_a_part_is_missing_is_damaged(name: str) -> None:
    row = read_row(ITEM | {key: value for key, value in TOKEN.items() if key != name})
    assert (row.sealed, row.sealed_damaged) == (None, True)


def test_a_lease_without_an_end_is_over() -> None:
    item = {key: value for key, value in ITEM.items() if key != "lease_until"}
    assert read_row(item).lease_until == 0


def test_the_fleets_hold_is_read() -> None:
    assert read_hold(HOLD) == FleetHold(until=5, error="x", kid="kid-1")


@odd
@pytest.mark.parametrize("name", sorted(HOLD.keys() - {"pk"}))
def test_a_hold_that_is_damaged_holds_nobody(name: str, shape: dict[str, Any]) -> None:
    assert read_hold(HOLD | {name: shape}) is None
    assert read_hold({key: value for key, value in HOLD.items() if key != name}) is None


def test_no_ciphertext_is_shown() -> None:
    assert "xxxx" not in repr(read_row(ITEM | TOKEN))
