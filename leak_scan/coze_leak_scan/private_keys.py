"""Private keys: in PEM, in PEM without its frame, and as a JSON Web Key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.text import has_digit, looks_random, places

RULE = "private-key"

FRAME = b"PRIVATE KEY-----"
BEGIN = rb"-----BEGIN [A-Z0-9 ]{0,20}"
_ENDS_IN_BEGIN = re.compile(BEGIN + rb"\Z")
# Each text is read in one way only: else a long one takes for ever.
_BETWEEN_LINES = rb"(?:\\[nr]?|%0[AaDd]|&#1[03];|[\s\"'`,])"
_HEADER = rb":[^\n\\]{0,80}(?=[\n\\])" + _BETWEEN_LINES + rb"{1,8}"
_BODY = re.compile(
    rb"(?:" + _BETWEEN_LINES + rb"|\+)*"
    rb"(?:Proc-Type" + _HEADER + rb"DEK-Info" + _HEADER + rb"|(?=M|b3BlbnNzaC1rZXk))"
    rb"((?:" + _BETWEEN_LINES + rb"|[A-Za-z0-9+/=])*)"
)
"""In base64 DER begins with `M`, OpenSSH's own form with its name; with a password anything may."""

_GAP = re.compile(_BETWEEN_LINES)
_LINE = re.compile(rb"[A-Za-z0-9+/]{30}")
_MASK = re.compile(rb"\.\.|\*\*|xxx|" + "…".encode())
_MIN_BODY, _MIN_MASKED_BODY, _MAX_BODY = 64, 200, 8192
"""Base64 characters: an Ed25519 key has 64; the first line of an RSA key says nothing yet."""

_FRAMELESS = (b"IBADANBgkqhkiG9w0BAQEFAASC", b"IBAAKCA")
"""An RSA key after its length: the algorithm in PKCS #8, the version and modulus in PKCS #1."""

_LENGTH = re.compile(rb"MII[A-Za-z0-9+/]{3}")
_LENGTH_SIZE = 6
_MIN_FRAMELESS_BODY = 200
_FRAME_BEFORE = re.compile(
    rb"BEGIN[A-Z0-9 %]{1,26}PRIVATE(?: |%20)KEY-----(?:" + _BETWEEN_LINES + rb"|\+)*\Z"
)
"""Also as an address has it."""


_KTY = re.compile(rb"kty\\*[\"']?\s*:\s*\\*[\"'](?:RSA|EC|OKP)\\*[\"']")
_PRIVATE_PART = re.compile(rb"[{,\s\"']d\\*[\"']?\s*:\s*\\*[\"']([A-Za-z0-9_-]{40,})")
_JWK_REACH = 4096


def find_private_keys(data: bytes) -> Iterator[Hit]:
    """The private keys in `data`."""
    yield from _framed(data)
    yield from _frameless(data)
    yield from _json_web_keys(data)


def _framed(data: bytes) -> Iterator[Hit]:
    for place in places(FRAME, data):
        begin = _ENDS_IN_BEGIN.search(data[max(0, place - 40) : place])
        length = key_length(data, place + len(FRAME))
        if begin and length:
            start = place - len(begin.group())
            yield Hit(start, RULE, "----", length)


def key_length(data: bytes, start: int) -> int:
    """How many characters of a key stand here; 0 where it is none, or only shown in part."""
    found = _BODY.match(data, start, start + _MAX_BODY)
    if not found:
        return 0
    body = _GAP.sub(b"", found.group(1))
    masked = _MASK.match(data, found.end()) is not None
    if len(body) < (_MIN_MASKED_BODY if masked else _MIN_BODY) or not has_digit(body):
        return 0
    whole_line = _LINE.search(found.group(1)) is not None
    return len(body) if whole_line and looks_random(body) else 0


def _frameless(data: bytes) -> Iterator[Hit]:
    for literal in _FRAMELESS:
        for place in places(literal, data):
            start = place - _LENGTH_SIZE
            if start < 0 or not _LENGTH.match(data, start) or _is_framed(data, start):
                continue
            length = key_length(data, start)
            if length >= _MIN_FRAMELESS_BODY:
                yield Hit(start, RULE, "", length)


def _is_framed(data: bytes, start: int) -> bool:
    return _FRAME_BEFORE.search(data[max(0, start - 80) : start]) is not None


def _json_web_keys(data: bytes) -> Iterator[Hit]:
    for place in places(b"kty", data):
        if not _KTY.match(data, place):
            continue
        part = _PRIVATE_PART.search(data, max(0, place - _JWK_REACH), place + _JWK_REACH)
        if part and looks_random(part.group(1)):
            yield Hit(place, RULE, "", len(part.group(1)))
