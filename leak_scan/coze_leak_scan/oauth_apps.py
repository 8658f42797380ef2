"""What lets anybody be the site's OAuth app: its configuration file, its client secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.private_keys import BEGIN, FRAME, key_length
from coze_leak_scan.text import has_digit, looks_random, places, stands_in

CONFIG_RULE = "oauth-config"
SECRET_RULE = "client-secret"  # noqa: S105 - the name of a rule

_QUOTE = rb"\\*[\"'`]"
_JWT_APP = re.compile(rb"client_type" + _QUOTE + rb"?\s*[:=]\s*" + _QUOTE + rb"jwt")
# People paste keys without their frame, too.
_KEY = re.compile(
    rb"private_key" + _QUOTE + rb"?\s*[:=]\s*" + _QUOTE + rb"(?:" + BEGIN + FRAME + rb")?"
)
_SECRET = re.compile(
    rb"client_?secret" + _QUOTE + rb"?\s*[:=]\s*" + _QUOTE + rb"?([A-Za-z0-9_-]{24,256})",
    re.IGNORECASE,
)
_COZE = re.compile(rb"coze|kouzi|" + "扣子".encode(), re.IGNORECASE)
_CONFIG_REACH, _NAME_REACH = 4096, 2048
"""Bytes: a configuration file fits; who the secret belongs to stands near it."""


def find_oauth_apps(data: bytes) -> Iterator[Hit]:
    """The configuration files with a key, and Coze's client secrets, in `data`."""
    yield from _configs(data)
    for spelling in (b"client_secret", b"clientSecret", b"CLIENT_SECRET", b"clientsecret"):
        for place in places(spelling, data):
            yield from _secret(data, place)


def _configs(data: bytes) -> Iterator[Hit]:
    for place in places(b"client_type", data):
        if not _JWT_APP.match(data, place):
            continue
        near = max(0, place - _CONFIG_REACH), place + _CONFIG_REACH
        lengths = [key_length(data, found.end()) for found in _KEY.finditer(data, *near)]
        if any(lengths):
            yield Hit(place, CONFIG_RULE, "", max(lengths))


def _secret(data: bytes, place: int) -> Iterator[Hit]:
    found = _SECRET.match(data, place)
    if not found or not _COZE.search(data, max(0, place - _NAME_REACH), place + _NAME_REACH):
        return
    value = found.group(1)
    if has_digit(value) and looks_random(value) and not stands_in(value):
        yield Hit(found.start(1), SECRET_RULE, "", len(value))
