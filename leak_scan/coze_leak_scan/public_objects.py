"""What a build writes into the page by its configuration: Nuxt's public part, Vite's `define`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.public_variables import RULE, names_cozes_secret
from coze_leak_scan.text import name_around, places, stands_in

_SPELLINGS = (b"coze", b"Coze", b"COZE", b"kouzi", b"Kouzi", b"KOUZI")
_LETTERS = re.compile(rb"[A-Za-z0-9_]*")
_HUMP = re.compile(rb"(?<=[a-z0-9])(?=[A-Z])")

_READ = re.compile(rb"\.public\s{0,9}\??\.\s{0,9}\Z")
_TAKEN_APART = re.compile(rb"[^{};]{0,200}\}\s{0,9}=\s{0,9}useRuntimeConfig\(\)\.public\b")
_GIVEN = re.compile(
    rb"[\"'`]?\]?\s{0,9}:\s{0,9}(?:JSON\.stringify\(\s{0,9})?[\"'`]?([^\r\n\"'`,)}]{1,80})"
)
_NOTHING = re.compile(
    rb"\s*(?:undefined|null|true|false|string|String|any|boolean|JSON\.stringify\()?\s*\Z"
)

_BRACE = re.compile(rb"[{}]")
_DEFINE = re.compile(rb"(?:\bdefine[\"']?\s{0,9}:|\bDefinePlugin\()\s{0,9}\Z")
_PUBLIC = re.compile(rb"\bpublic[\"']?\s{0,9}:\s{0,9}\Z")
_NUXT = re.compile(rb"\bruntimeConfig[\"']?\s{0,9}:\s{0,9}\Z")
_REACH = 2048
"""Bytes: the object begins a little before what stands in it."""


def find_public_objects(data: bytes) -> Iterator[Hit]:
    """Where a secret of Coze's is put into such an object, or read from it."""
    for place in (place for spelling in _SPELLINGS for place in places(spelling, data)):
        start, name = name_around(place, data, _LETTERS)
        variable = _HUMP.sub(b"_", name).upper()
        if names_cozes_secret(variable) and _in_use(data, start, start + len(name)):
            yield Hit(start, RULE, name.decode(), 0)


def _in_use(data: bytes, start: int, end: int) -> bool:
    before = data[max(0, start - _REACH) : start]
    if _READ.search(before[-40:]) or _TAKEN_APART.match(data, end):
        return True
    return _has_value(data, end) and _is_public(before)


def _has_value(data: bytes, end: int) -> bool:
    given = _GIVEN.match(data, end)
    if not given or _NOTHING.match(given.group(1)):
        return False
    return not stands_in(given.group(1))


def _is_public(before: bytes) -> bool:
    """Whether a place is within an object that is written into the page."""
    closed, public = 0, False
    for brace in reversed([*_BRACE.finditer(before)]):
        if brace.group() == b"}":
            closed += 1
        elif closed:
            closed -= 1
        else:
            head = before[max(0, brace.start() - 40) : brace.start()]
            if _DEFINE.search(head) or (public and _NUXT.search(head)):
                return True
            public = _PUBLIC.search(head) is not None
    return False
