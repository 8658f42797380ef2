"""Variables that a build tool writes into the page, by the prefix of their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.text import places, stands_in

RULE = "public-variable"

_NAME = re.compile(
    rb"(?:NEXT_PUBLIC|VITE|REACT_APP|VUE_APP|NUXT_PUBLIC|PUBLIC|GATSBY|EXPO_PUBLIC|TARO_APP)"
    rb"_[A-Z0-9_]*"
)
_LETTERS = re.compile(rb"[A-Z0-9_]*")
_MAX_NAME = 100

_SECRETS = {b"TOKEN", b"TOKENS", b"PAT", b"SECRET", b"KEY", b"APIKEY", b"PASSWORD"}
_HARMLESS_LAST = re.compile(
    rb"_(?:URL|URI|ENDPOINT|PATH|ROUTE|HOST|BASE|ID|NAME|TYPE|ISSUER|SERVER|SERVICE|PROXY|API"
    rb"|DURATION|SECONDS|TTL)\Z"
)
_HARMLESS_KEY = re.compile(rb"(?:PUBLIC|SITE|STORAGE|CACHE|QUERY)_KEY")

_READ = re.compile(rb"\benv\s*(?:\?\.|\.|(?:\?\.)?\[\s*[\"'`])\s*\Z")
_TAKEN_APART = re.compile(
    rb"[^{};]{0,200}\}\s*(?:=\s*(?:import\.meta|process)\.env"
    rb"|from\s*[\"']\$env/(?:static|dynamic)/public)"
)
_GIVEN = re.compile(rb"[\"']?\]?[ \t]*(=(?!=)|:)[ \t]*([\"'`]?)([^\r\n\"'`]{0,80})")
_DECLARED = re.compile(rb"(?:string|undefined|null|true|false|any|boolean|String)\b")


def find_public_variables(data: bytes) -> Iterator[Hit]:
    """Where a public variable for one of Coze's secrets is given a value or read."""
    for place in places(b"COZE", data):
        start, name = _name_around(data, place)
        end = start + len(name)
        if names_a_secret(name) and _in_use(data, start, end):
            yield Hit(start, RULE, name.decode(), 0)


def names_a_secret(name: bytes) -> bool:
    """Whether this is the name of a public variable for a token or a key of Coze's."""
    if not _NAME.fullmatch(name) or b"COZE" not in name or _HARMLESS_LAST.search(name):
        return False
    _, _, rest = name.partition(b"COZE")
    return not _SECRETS.isdisjoint(_HARMLESS_KEY.sub(b"", rest).split(b"_"))


def _name_around(data: bytes, place: int) -> tuple[int, bytes]:
    before = _LETTERS.match(data[max(0, place - _MAX_NAME) : place][::-1])
    start = place - (len(before.group()) if before else 0)
    name = _LETTERS.match(data, start, place + _MAX_NAME)
    return start, name.group() if name else b""


def _in_use(data: bytes, start: int, end: int) -> bool:
    read = _READ.search(data[max(0, start - 40) : start]) or _TAKEN_APART.match(data, end)
    return read is not None or _has_value(data, end)


def _has_value(data: bytes, end: int) -> bool:
    given = _GIVEN.match(data, end)
    if not given:
        return False
    sign, quote, value = given.group(1), given.group(2), given.group(3).strip(b" \t,;}")
    if not value or stands_in(value) or _DECLARED.match(value):
        return False
    # After a colon and without quotes it may be a sentence about the variable.
    return sign == b"=" or bool(quote) or re.search(rb"[0-9$(]", value) is not None
