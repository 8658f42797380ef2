"""The environment, variable by variable; an empty one counts as not set."""

from __future__ import annotations

import re
from collections.abc import Mapping

from coze_sts.api_base import parse_api_base


class Variables:
    """Reads variables one by one; `faults` has a sentence for each that is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str | None:
        """The value without blanks around it, or None."""
        return self._environ.get(name, "").strip() or None

    def required(self, name: str) -> str:
        """A value that must be there."""
        value = self.text(name)
        if value is None:
            self.faults.append(f"{name} is not set.")
        return value or ""

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """A value that matches from end to end, or None."""
        value = self.text(name)
        if value is not None and not pattern.fullmatch(value):
            self.faults.append(f"{name} must match {pattern.pattern}.")
        return value

    def listed(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Values with commas between them, each of which matches."""
        items = tuple(item.strip() for item in (self.text(name) or "").split(",") if item.strip())
        if not all(pattern.fullmatch(item) for item in items):
            self.faults.append(f"Each item of {name} must match {pattern.pattern}.")
        return items

    def choice(self, name: str, default: str, other: str) -> bool:
        """Whether `other` was chosen."""
        value = self.text(name) or default
        if value not in (default, other):
            self.faults.append(f"{name} must be {default} or {other}.")
        return value == other

    def url(self, name: str) -> str | None:
        """The base URL of an API, or None."""
        value = self.text(name)
        try:
            return parse_api_base(value) if value else None
        except ValueError as fault:
            self.faults.append(f"{name} {fault}.")
            return None

    def number(self, name: str, *, default: int, least: int = 1, most: int) -> int:
        """A whole number within bounds."""
        value = self.text(name) or str(default)
        plain = value.isascii() and value.isdecimal() and len(value) < 16
        number = int(value) if plain else least - 1
        if not least <= number <= most:
            self.faults.append(f"{name} must be a whole number from {least} to {most}.")
        return number
