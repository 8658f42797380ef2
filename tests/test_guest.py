"""Guest tickets: how a visitor without a login stays the same visitor, and no one else's."""

import base64
import string
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import pytest
from coze_sts.auth.guest import (
    CLOCK_SKEW_SECONDS,
    LIFETIME_SECONDS,
    MAX_TICKET_CHARACTERS,
    RENEW_SECONDS,
    Guest,
    TicketOffice,
    UnknownTicketKey,
    _encode,
)
from coze_sts.errors import InvalidToken
from coze_sts.keyring import Purpose
from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import NOW, ROTATED, everything_told

KEYS = {number: ROTATED.derive(Purpose.TICKET, key_id=number) for number in ("1", "2")}


def office(
    keys: Mapping[str, bytes] = KEYS, *, newest: str = "1", audience: str = "tokens"
) -> TicketOffice:
    serial = count(1)
    return TicketOffice(
        keys=keys,
        newest=newest,
        audience=audience,
        random_bytes=lambda size: next(serial).to_bytes(size, "big"),
    )


OFFICE = office()
NEWCOMER = OFFICE.admit(None, now=NOW)
GUEST = replace(NEWCOMER, new=False)
"""The same at their second visit."""

TICKET = GUEST.ticket


def refused(ticket: str, *, by: TicketOffice = OFFICE, now: float = NOW) -> bool:
    """Whether the ticket is refused as InvalidToken; any other exception is a crash."""
    try:
        by.admit(ticket, now=now)
    except InvalidToken as error:
        return error.status == 401
    return False


def test_a_new_visitor_gets_a_ticket_and_comes_back_as_the_same() -> None:
    again = OFFICE.admit(TICKET, now=NOW + 60)
    assert again == GUEST
    assert again.expires_at == NOW + 30 * 24 * 3600
    assert OFFICE.admit(None, now=NOW).caller.name != GUEST.caller.name


def test_only_who_came_without_a_ticket_is_new() -> None:
    """Nobody can have bound them yet, so nobody needs to look: a ticket's guest is never new."""
    half = NOW + RENEW_SECONDS
    assert NEWCOMER.caller == replace(GUEST.caller, new=True)
    for now in (NOW, half, half + 1):
        assert not OFFICE.admit(TICKET, now=now).new
        assert not OFFICE.admit(TICKET, now=now).caller.new


def test_a_guest_has_a_random_id_of_128_bits() -> None:
    asked: list[int] = []

    def random_bytes(size: int) -> bytes:
        asked.append(size)
        return b"r" * size

    guest = replace(OFFICE, random_bytes=random_bytes).admit(None, now=NOW)
    assert (asked, guest.guest_id) == ([16], b"r" * 16)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_two_ids_are_two_names_also_when_case_is_folded(one: bytes, other: bytes) -> None:
    names = [Guest(guest_id=i, ticket="", expires_at=0).caller.name for i in (one, other)]
    assert (names[0].casefold() == names[1].casefold()) == (one == other)
    assert names[0].startswith("guest_")


def test_every_change_of_a_single_character_is_refused() -> None:
    alphabet = string.ascii_letters + string.digits + "-_.=+/ "
    for at, was in enumerate(TICKET):
        before, after = TICKET[:at], TICKET[at + 1 :]
        assert refused(before + after), at
        for c in alphabet:
            assert c == was or refused(before + c + after), (at, c)
            assert refused(before + c + was + after) or c == was, (at, c)


def test_a_ticket_that_was_cut_at_either_end_is_refused() -> None:
    for length in range(len(TICKET)):
        assert refused(TICKET[:length]), length
        assert refused(TICKET[len(TICKET) - length :]), length


def test_the_same_guest_spelled_otherwise_is_refused_even_with_a_code_of_ours() -> None:
    """The payload's last character has no spare bits, and no other version is read as this one."""
    signed, _, mac = TICKET.rpartition(".")
    for c in set(string.printable) - {signed[-1]}:
        assert refused(f"{signed[:-1]}{c}.{mac}"), c
    for version in ("g2", "g", "G1", "g01", "", "none", "HS256"):
        other = signed.replace("g1", version, 1)
        assert refused(f"{other}.{mac}"), version
        assert refused(f"{other}.{_encode(OFFICE._mac(other, key_id='1'))}"), version


@pytest.mark.parametrize("more", ["=", "==", "\n", " ", ".", "A", "\x00"])
def test_nothing_may_stand_before_or_behind_a_ticket(more: str) -> None:
    assert refused(TICKET + more)
    assert refused(more + TICKET)


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    """Base64 has spare bits in the last character of the code, and two alphabets."""
    signed, _, mac = TICKET.rpartition(".")
    raw = base64.urlsafe_b64decode(mac + "=")
    spellings = {
        mac[:-1] + c
        for c in string.ascii_letters + string.digits + "-_"
        if base64.urlsafe_b64decode(mac[:-1] + c + "=") == raw
    }
    assert len(spellings) == 4
    for spelling in (spellings - {mac}) | {mac + "=", base64.b64encode(raw).decode(), raw.hex()}:
        assert refused(f"{signed}.{spelling}")


@given(st.text(st.characters()) | st.text("g1.2=AZaz\ud800é１\x00", max_size=60))
@example("")
@example(".")
@example("g1")
@example("g1.1")
@example("g1.1..")
@example("g1.1.\ud800.x")
@example("g1.1.x.\udfff")
@example("g1.1.x.é")
@example("g1.１.x.y")
@example("g1.1." + "x" * 100_000)
def test_no_text_whatever_crashes_the_check(text: str) -> None:
    assert refused(text)
    assert refused(f"g1.1.{text}")
    assert refused(TICKET + text) or not text
    signed, _, mac = TICKET.rpartition(".")
    assert refused(f"{signed}{text}.{mac}") or not text


def test_a_ticket_of_another_stack_is_refused_even_under_the_same_key() -> None:
    assert refused(TICKET, by=office(audience="tokens-2"))
    shifted = office(audience="tokens"[:-1])
    assert refused(shifted.admit(None, now=NOW).ticket)


def test_a_ticket_under_a_key_that_we_do_not_hold_is_refused() -> None:
    assert refused(TICKET, by=office({"1": b"x" * 32}))
    assert refused(TICKET, by=office({"2": KEYS["2"]}, newest="2"))
    assert refused(TICKET, by=office({"1": KEYS["2"], "2": KEYS["1"]}))


def test_a_ticket_from_before_its_key_was_taken_away_may_be_known_to_a_newer_ring_only() -> None:
    with pytest.raises(UnknownTicketKey):
        office({"2": KEYS["2"]}, newest="2").admit(TICKET, now=NOW)
    for forged in (TICKET[:-2] + "AA", TICKET.replace("g1.1.", "g1.2.", 1)):
        with pytest.raises(InvalidToken) as refusal:
            OFFICE.admit(forged, now=NOW)
        assert type(refusal.value) is InvalidToken, "no ring will ever know it"


def test_after_a_rotation_both_keys_verify_and_the_newest_signs() -> None:
    rotated = office(newest="2")
    assert rotated.admit(TICKET, now=NOW).guest_id == GUEST.guest_id
    renewed = rotated.admit(TICKET, now=NOW + RENEW_SECONDS + 1)
    assert renewed.guest_id == GUEST.guest_id
    assert renewed.ticket.startswith("g1.2.")
    only_new = office({"2": KEYS["2"]}, newest="2")
    assert only_new.admit(renewed.ticket, now=NOW + RENEW_SECONDS + 2) == renewed


def test_a_ticket_is_renewed_once_half_its_life_is_over_for_the_same_guest() -> None:
    half = NOW + RENEW_SECONDS
    assert 2 * RENEW_SECONDS == LIFETIME_SECONDS
    assert OFFICE.admit(TICKET, now=half) == GUEST
    renewed = OFFICE.admit(TICKET, now=half + 1)
    assert renewed.ticket != TICKET
    assert renewed.caller == GUEST.caller
    assert renewed.expires_at == half + 1 + LIFETIME_SECONDS


def test_a_ticket_ends_after_thirty_days_and_never_becomes_a_new_guest() -> None:
    end = NOW + LIFETIME_SECONDS
    assert OFFICE.admit(TICKET, now=end - 1).caller == GUEST.caller
    assert refused(TICKET, now=end)
    assert refused(TICKET, now=10 * end)


def test_a_ticket_of_the_future_is_refused_but_for_the_skew_of_a_clock() -> None:
    assert not refused(TICKET, now=NOW - CLOCK_SKEW_SECONDS)
    assert refused(TICKET, now=NOW - CLOCK_SKEW_SECONDS - 1)
    assert refused(office().admit(None, now=2**40).ticket)


def test_the_code_is_checked_before_anything_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_: str) -> bytes:
        raise AssertionError("parsed unverified bytes")

    monkeypatch.setattr("coze_sts.auth.guest._decode", parse)
    assert refused(TICKET[:-2] + "AA")
    with pytest.raises(AssertionError, match="parsed"):
        OFFICE.admit(TICKET, now=NOW)


def test_the_codes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return True

    monkeypatch.setattr("coze_sts.auth.guest.hmac.compare_digest", compare)
    OFFICE.admit(TICKET[:-2] + "AA", now=NOW)
    mac = TICKET.rpartition(".")[2].encode()
    assert compared == [(mac[:-2] + b"AA", mac)]


def test_a_ticket_is_short_and_safe_in_a_cookie_or_a_header() -> None:
    assert len(TICKET) < 100 < MAX_TICKET_CHARACTERS
    assert set(TICKET) <= set(string.ascii_letters + string.digits + "-_.")


def test_neither_ticket_nor_key_is_shown() -> None:
    assert TICKET not in repr(GUEST)
    assert repr(KEYS["1"]) not in repr(OFFICE)
    with pytest.raises(InvalidToken) as error:
        OFFICE.admit(TICKET + "x", now=NOW)
    assert TICKET not in everything_told(error.value)
