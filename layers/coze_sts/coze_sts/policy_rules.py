"""What a rule of the policy may set, how it is read, and which of two rules holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from coze_sts.issuers import ISSUER
from coze_sts.settings import (
    ID,
    MAX_DURATION_SECONDS,
    MAX_PER_DAY,
    MIN_DURATION_SECONDS,
    ORIGIN,
    PERMISSION,
)
from coze_sts.strict_json import Node

_Value = int | tuple[str, ...]

Rule = Mapping[str, Any]
"""Fields of Settings, and what they are where the rule holds."""

_Keys = Mapping[str, tuple[str, Callable[[Node], object]]]
"""What a rule may set: the field of Settings that it is, and how it is read."""

_PER_DAY = partial(Node.number, least=1, most=MAX_PER_DAY)
_DURATION = partial(Node.number, least=MIN_DURATION_SECONDS, most=MAX_DURATION_SECONDS)

_ISSUER_KEYS: _Keys = {
    "bot_ids": ("coze_bot_ids", partial(Node.texts, pattern=ID)),
    "permissions": ("coze_permissions", partial(Node.texts, pattern=PERMISSION)),
    "token_duration_seconds": ("token_duration_seconds", _DURATION),
    "tokens_per_session": ("tokens_per_session", _PER_DAY),
}
_ORIGIN_KEYS: _Keys = {
    **_ISSUER_KEYS,
    "guests": ("guest_sessions", Node.flag),
    "new_guests_per_address": ("new_guests_per_address", _PER_DAY),
    "new_guests_per_origin": ("new_guests_per_origin", _PER_DAY),
}
SECTIONS = {"origins": (ORIGIN, _ORIGIN_KEYS), "issuers": (ISSUER, _ISSUER_KEYS)}
"""What the names of a section's rules look like, and what its rules may set."""


def read_rules(document: Node) -> dict[str, dict[str, Rule]]:
    """The rules of every section by their name; all faults are in `document.faults`."""
    found = document.members(known={"$schema", *SECTIONS})
    if "$schema" in found:
        found["$schema"].text()
    return {name: _section(name, found.get(name)) for name in SECTIONS}


def narrower(one: Rule, other: Rule) -> Rule:
    """What holds where both rules hold: the smaller number, the items that both lists have."""
    both = {name: _narrower(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def _section(name: str, section: Node | None) -> dict[str, Rule]:
    pattern, keys = SECTIONS[name]
    rules = section.members() if section else {}
    for rule_name, rule in rules.items():
        if not pattern.fullmatch(rule_name):
            rule.fault(f"does not match {pattern.pattern}")
    return {rule_name: _rule(rule, keys=keys) for rule_name, rule in rules.items()}


def _rule(rule: Node, *, keys: _Keys) -> Rule:
    members = rule.members(known=keys)
    if ("bot_ids" in members) != ("permissions" in members):
        rule.fault("needs both bot_ids and permissions, or neither")
    readers = {key: keys[key] for key in members}
    return {field: read(members[key]) for key, (field, read) in readers.items()}


def _narrower(one: _Value, other: _Value) -> _Value:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(item for item in one if item in other)
    return min(one, other)
