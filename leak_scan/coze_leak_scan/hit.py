"""What a rule found, without the secret itself."""

from __future__ import annotations

from typing import NamedTuple


class Hit(NamedTuple):
    """A secret at `start` of the searched bytes: how it begins and how long it is."""

    start: int
    rule: str
    head: str
    length: int


class Finding(NamedTuple):
    """A secret in a file; line and column count from 1."""

    path: str
    line: int
    column: int
    rule: str
    head: str
    length: int
    allowed: bool
