"""A JSON document that somebody wrote by hand: each fault is named with its place."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

MAX_SHOWN = 80
"""Characters of a key that a fault repeats: more is no name, and could be a secret."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A value of the document. `faults` is the whole document's: a sentence for each."""

    place: str
    value: Any
    faults: list[str]

    def fault(self, text: str) -> None:
        """Says what is wrong here."""
        self.faults.append(f"{self.place}: {text}.")

    def members(self, known: Container[str] | None = None) -> dict[str, Node]:
        """What an object holds by key; only `known` keys, where that is given."""
        if not isinstance(self.value, _Object):
            self.fault("must be an object")
            return {}
        for key in self.value.repeated:
            self._inside(key).fault("is there more than once")
        for key in self.value:
            if known is not None and key not in known:
                self._inside(key).fault("unknown key")
        return {
            key: self._inside(key, value)
            for key, value in self.value.items()
            if known is None or key in known
        }

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.fault("must be true or false")
        return self.value is True

    def number(self, *, least: int, most: int) -> int:
        """A whole number within bounds; JSON Schema counts 60.0 as one, and so do we."""
        number = self.value
        if type(number) not in (int, float) or not least <= number <= most or number % 1:
            self.fault(f"must be a whole number from {least} to {most}")
            return least
        return int(number)

    def text(self) -> str:
        """Any text."""
        if not isinstance(self.value, str):
            self.fault("must be a text in quotes")
        return str(self.value)

    def texts(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """A list of at least one text, each of which matches from end to end."""
        if not isinstance(self.value, list) or not self.value:
            self.fault("must be a list that is not empty")
            return ()
        for number, item in enumerate(self.value, start=1):
            if not isinstance(item, str) or not pattern.fullmatch(item):
                fault = f"must be a text in quotes that matches {pattern.pattern}"
                self._inside(f"item {number}").fault(fault)
        return tuple(self.value)

    def _inside(self, key: str, value: object = None) -> Node:
        return Node(place=f"{self.place} → {shown(key)}", value=value, faults=self.faults)


def parse(text: str, *, name: str) -> Node:
    """The document's outermost value; `name` is what its faults call it.

    Raises ValueError with a sentence that quotes nothing of a text that is not JSON. NaN and
    Infinity pass here: no reader of Node accepts them.
    """
    try:
        value = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise ValueError(f"{name}: {place}: {fault.msg}.") from None
    except ValueError:  # Python's bound on the digits of a number
        raise ValueError(f"{name}: a number has too many digits.") from None
    except RecursionError:
        raise ValueError(f"{name}: is nested too deeply.") from None
    return Node(place=name, value=value, faults=[])


def shown(key: str) -> str:
    """A key as a fault repeats it: short, and with letters that only look like others told."""
    escaped = ascii(key)[1:-1]
    return escaped if len(escaped) <= MAX_SHOWN else f"{escaped[:MAX_SHOWN]}…"


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were there before."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.repeated = [key for key, count in counts.items() if count > 1]
