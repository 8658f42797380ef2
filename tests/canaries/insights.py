"""As much of CloudWatch Logs Insights as one query needs: fields, filter, sort, limit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_EQUALS = re.compile(r'(\w+) = "([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Event:
    """A line of a log group, at a time in UNIX milliseconds."""

    at: int
    text: str


def found(events: Sequence[Event], query: str) -> list[dict[str, str]]:
    """The events that the query finds; raises ValueError for what is not understood."""
    commands = [command.strip() for command in query.split("\n|")]
    words = [command.partition(" ") for command in commands]
    if [name for name, _, _ in words] != ["fields", "filter", "sort", "limit"]:
        raise ValueError(query)
    fields, condition, order, limit = (argument for _, _, argument in words)
    if order != "@timestamp asc":
        raise ValueError(order)
    wanted = [(event, line) for event in events if _holds(condition, line := _line(event))]
    wanted.sort(key=lambda pair: pair[0].at)
    return [_shown(*pair, fields.split(", ")) for pair in wanted[: int(limit)]]


def _line(event: Event) -> dict[str, Any]:
    """Fields are discovered in JSON only."""
    try:
        line = json.loads(event.text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _holds(condition: str, line: dict[str, Any]) -> bool:
    alternatives = [_EQUALS.fullmatch(part) for part in condition.split(" or ")]
    if None in alternatives:
        raise ValueError(condition)
    return any(line.get(part[1]) == part[2] for part in alternatives if part)


def _shown(event: Event, line: dict[str, Any], fields: list[str]) -> dict[str, str]:
    """A field that an event lacks is not in its row."""
    row = {"@timestamp": _date(event.at), "@ptr": f"pointer-{event.at}"}
    return row | {name: str(line[name]) for name in fields if name in line}


def _date(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{at % 1000:03}"
