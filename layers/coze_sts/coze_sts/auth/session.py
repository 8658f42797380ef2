"""Caller → Session: whose conversations a token opens. Pure."""

from __future__ import annotations

import base64
import hmac
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from coze_sts.keyring import Keyring
from coze_sts.settings import GUEST_PREFIX, Settings

MAX_CODE_POINTS = 128
MAX_BYTES = 256
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What stands where somebody read bytes that are not UTF-8: two names could become one."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What no font shows though it has a category that others show: Default_Ignorable_Code_Point of
the Unicode Character Database, as far as the categories below leave it, and the empty braille."""

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody whose identity was proved, by `kind` of proof; `name` as they are known there.

    `issuer` is who signed a user in; `new` says that nobody saw this guest before. `device_id`
    and `custom_consumer` are what a backend says of its user for Coze's end-user quota; at most
    one of them is set.
    """

    kind: Literal["user", "guest", "backend"]
    name: str
    issuer: str | None = None
    new: bool = False
    device_id: str | None = None
    custom_consumer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """What Coze keeps conversations apart by, and what it counts quota by."""

    name: str
    device_id: str | None = None
    custom_consumer: str | None = None
    connector_id: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a log must not show of it."""
        named = (self.name, self.device_id, self.custom_consumer)
        return tuple(name for name in named if name is not None)

    @property
    def context(self) -> dict[str, Any] | None:
        """The claim `session_context`; None leaves it out."""
        context: dict[str, Any] = {}
        if self.device_id is not None:
            context["device_info"] = {"device_id": self.device_id}
        elif self.custom_consumer is not None:
            context["device_info"] = {"custom_consumer": self.custom_consumer}
        if self.connector_id is not None:
            context["connector_info"] = {"connector_id": self.connector_id}
        return context or None


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a session name, or None. Names are refused, never normalised.

    Two names that look alike or that some system folds into one would share conversations.
    """
    if not 1 <= len(name) <= MAX_CODE_POINTS:
        return f"must have 1 to {MAX_CODE_POINTS} characters"
    plain = name.isascii() and name.isprintable()  # as most are, and quickly told
    if (not plain and any(map(_is_refused, name))) or _UNSEEN.search(name):
        return "has a character that cannot be seen or is not assigned"
    if REPLACEMENT in name:
        return "is not UTF-8"
    if len(name.encode()) > MAX_BYTES:
        return f"must have at most {MAX_BYTES} bytes in UTF-8"
    if not unicodedata.is_normalized("NFC", name):
        return "must be in Unicode normalisation form NFC"
    if name != name.strip(" "):
        return "must not begin or end with a space"
    if begins_with(name, GUEST_PREFIX):
        return f"must not begin with {GUEST_PREFIX}, which is reserved for guests"
    return None


def _is_refused(character: str) -> bool:
    return character != " " and unicodedata.category(character) in _REFUSED_CATEGORIES


def begins_with(name: str, *prefixes: str) -> bool:
    """Whether anybody could take `name` to begin with one of `prefixes` (in lower case)."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", name).casefold())
    return seen.startswith(prefixes)


def session_for(
    caller: Caller, *, settings: Settings, keyring: Keyring, guest: str | None = None
) -> Session:
    """The session of `caller`, which nobody else can have.

    A user and a backend that name the same person get the same session. Pseudonymous naming
    puts an HMAC in place of their name; a guest's name is random already. `guest` is the name
    under which they spoke before they signed in, where that was bound to them.
    """
    name = caller.name if guest is None else guest
    if settings.pseudonymous and caller.kind != "guest" and guest is None:
        digest = _pseudonym(name, key=keyring.pseudonym_key)
        name = f"{settings.session_namespace}_{digest}"
    consumer = caller.custom_consumer
    if settings.end_user_quota and consumer is None and caller.device_id is None:
        consumer = name
    return Session(
        name=name,
        device_id=caller.device_id,
        custom_consumer=consumer,
        connector_id=settings.connector_id,
    )


def cache_key(
    session: Session, *, index_key: bytes, app: tuple[str, str], settings: Settings
) -> str:
    """The table's `pk`: a keyed digest of everything that makes one token differ from another.

    `app` is the API's base URL and the client id. The parts are hashed as a JSON list: joined
    strings would let two sessions meet.
    """
    parts = [
        *app,
        settings.token_path,
        session.name,
        session.context,
        settings.scope,
        settings.token_duration_seconds,
    ]
    return "t1#" + _keyed_digest(parts, key=index_key)


def fleet_key(*, index_key: bytes, app: tuple[str, str], settings: Settings) -> str:
    """The `pk` of what all sessions of an app have in common."""
    return "c1#" + _keyed_digest([*app, settings.token_path], key=index_key)


def session_counter_key(session: Session, *, index_key: bytes, app: tuple[str, str]) -> str:
    """The `pk` of the counter of a session's tokens, whatever page they are for."""
    return "n1#" + _keyed_digest([*app, session.name], key=index_key)


def binding_key(caller: Caller, *, key: bytes) -> str:
    """The `pk` of the record that says who a guest became, or as which guest a user spoke.

    A user and a backend that name the same person have the same record.
    """
    if caller.kind == "guest":
        return "g1#" + _keyed_digest([caller.name], key=key)
    return "u1#" + _keyed_digest([caller.name], key=key)


def day_key(kind: str, subject: str, *, key: bytes) -> str:
    """The `pk` of a counter for one day, by that day's own `key`."""
    return "n1#" + _keyed_digest([kind, subject], key=key)


def _keyed_digest(parts: list[Any], *, key: bytes) -> str:
    digest = hmac.digest(key, _ENCODER.encode(parts).encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _pseudonym(name: str, *, key: bytes) -> str:
    digest = hmac.digest(key, name.encode(), "sha256")
    return base64.b32encode(digest[:25]).decode().lower()
