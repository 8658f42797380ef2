"""Variables that a build tool writes into the page, by the prefix of their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.text import name_around, places, stands_in

RULE = "public-variable"

_NAME = re.compile(
    rb"(?:NEXT_PUBLIC|VITE|REACT_APP|VUE_APP|NUXT_PUBLIC|PUBLIC|GATSBY|EXPO_PUBLIC|TARO_APP)"
    rb"_[A-Z0-9_]*"
)
_LETTERS = re.compile(rb"[A-Z0-9_]*")
_PRODUCTS = (b"COZE", b"KOUZI")
"""Coze's two names; the second is 扣子 in Latin letters."""

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
    for place in (place for product in _PRODUCTS for place in places(product, data)):
        start, name = name_around(place, data, _LETTERS)
        end = start + len(name)
        if _NAME.fullmatch(name) and names_cozes_secret(name) and _in_use(data, start, end):
            yield Hit(start, RULE, name.decode(), 0)


def names_cozes_secret(name: bytes) -> bool:
    """Whether this is the name of a variable for a token or a key of Coze's."""
    product = next((product for product in _PRODUCTS if product in name), None)
    if not product or _HARMLESS_LAST.search(name.rstrip(b"_")):
        return False
    _, _, rest = name.partition(product)
    return not _SECRETS.isdisjoint(_HARMLESS_KEY.sub(b"", rest).split(b"_"))


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
