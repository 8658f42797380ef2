"""Finds planted texts in whatever a program left behind, however they are written there."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote

PIECE = 12
"""So many characters in a row are a leak; a text that is shorter is looked for as a whole."""

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_LINE_ENDS = re.compile(r"\s+|\\n|\\r")


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A planted text. `named` says that it names somebody, so its plain digest does, too.

    `long` ones (keys, JWTs) are looked for as they are, and only in parts beside one another.
    """

    kind: str
    text: str
    named: bool = False
    long: bool = False


@dataclass(frozen=True, order=True)
class Find:
    """What was found, and how it was written there."""

    kind: str
    form: str


def _base64(text: str) -> Iterator[str]:
    """At each of the three places where it may begin in something that is encoded whole.

    In a JWT it is encoded as JSON.
    """
    for raw in {text, json.dumps(text)[1:-1]}:
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + raw.encode()).decode()
            yield encoded.rstrip("=")[(0, 2, 3)[shift] :][:-1]


def _hex(text: str) -> Iterator[str]:
    yield text.encode().hex()


def _reversed(text: str) -> Iterator[str]:
    yield text[::-1]


def _escaped(text: str) -> Iterator[str]:
    yield from (quote_plus(text), html.escape(text), json.dumps(text)[1:-1])


def _digest(text: str) -> Iterator[str]:
    for algorithm in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(algorithm, text.encode())
        yield from (digest.hexdigest(), base64.b64encode(digest.digest()).decode().rstrip("="))


FORMS: dict[str, Callable[[str], Iterator[str]]] = {
    "base64": _base64,
    "base64url": lambda text: (t.replace("+", "-").replace("/", "_") for t in _base64(text)),
    "hex": _hex,
    "reversed": _reversed,
    "escaped": _escaped,
}


def _forms(canary: Canary) -> Iterator[tuple[str, str]]:
    yield "plain", canary.text
    for form, write in FORMS.items() if not canary.long else ():
        yield from ((form, written) for written in write(canary.text) if written != canary.text)
    if canary.named:
        yield from (("plain digest", written) for written in _digest(canary.text))


class Grep:
    """Looks for canaries in texts; upper and lower case are one."""

    def __init__(self, canaries: list[Canary]) -> None:
        self._pieces: defaultdict[str, set[Find]] = defaultdict(set)
        self._short: defaultdict[str, set[Find]] = defaultdict(set)
        for canary in canaries:
            for form, written in _forms(canary):
                self._plant(written.lower(), Find(canary.kind, form), long=canary.long)

    def _plant(self, written: str, find: Find, *, long: bool) -> None:
        if len(written) < PIECE:
            self._short[written].add(find)
        for at in range(0, len(written) - PIECE + 1, PIECE if long else 1):
            self._pieces[written[at : at + PIECE]].add(find)

    def __call__(self, text: str) -> set[Find]:
        """Every canary of which this text holds a piece."""
        found: set[Find] = set()
        for view in views(text.lower()):
            windows = {view[at : at + PIECE] for at in range(len(view) - PIECE + 1)}
            for piece in windows & self._pieces.keys():
                found |= self._pieces[piece]
            for short, finds in self._short.items():
                if short in view:
                    found |= finds
        return found


def views(text: str) -> set[str]:
    """The text, and what becomes of it when line ends, `\\u` escapes or `%` escapes are undone."""
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1] or escape[2], 16)), text)
    both = {text, plain.lower(), unquote(text).lower(), html.unescape(text).lower()}
    return both | {_LINE_ENDS.sub("", view) for view in both}
