"""The stack's own keys: one secret, from which every purpose derives a key of its own."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from coze_sts.errors import Misconfigured

MIN_KEY_CHARACTERS = 32

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class Purpose(Enum):
    """What a derived key is for; the value is its HKDF `info` (RFC 5869 section 3.2)."""

    ROW = b"coze-sts/v1/row"
    INDEX = b"coze-sts/v1/index"
    TICKET = b"coze-sts/v1/ticket"
    PSEUDONYM = b"coze-sts/v1/pseudonym"
    BINDING = b"coze-sts/v1/binding"
    DAY = b"coze-sts/v1/day"
    LOG = b"coze-sts/v1/log"


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """Numbered keys: the highest number writes, every number reads."""

    keys: Mapping[str, bytes] = field(repr=False)
    _derived: dict[tuple[Purpose, str], bytes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def newest(self) -> str:
        """The number of the key that writes."""
        return max(self.keys, key=int)

    @property
    def oldest(self) -> str:
        """The number of the key for what must never change, so it must never be removed."""
        return min(self.keys, key=int)

    @property
    def pseudonym_key(self) -> bytes:
        """Names users for ever."""
        return self.derive(Purpose.PSEUDONYM, key_id=self.oldest)

    @property
    def binding_key(self) -> bytes:
        """Says for ever which guest became which user."""
        return self.derive(Purpose.BINDING, key_id=self.oldest)

    def day_key(self, day: str) -> bytes:
        """For what is to be recognised on that day and never after."""
        return self.derive(Purpose.DAY, salt=day.encode())

    def derive(self, purpose: Purpose, *, key_id: str | None = None, salt: bytes = b"") -> bytes:
        """32 bytes for `purpose`, from the newest key unless named; KeyError if unknown."""
        number = self.newest if key_id is None else key_id
        if salt:
            return self._hkdf(purpose, number, salt)
        # A request needs several of them, and they are the same for the next.
        if (purpose, number) not in self._derived:
            self._derived[purpose, number] = self._hkdf(purpose, number, salt)
        return self._derived[purpose, number]

    def _hkdf(self, purpose: Purpose, number: str, salt: bytes) -> bytes:
        hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=purpose.value)
        return hkdf.derive(self.keys[number])

    def log_hash(self, text: str) -> str:
        """A short digest that lets log lines about one name be found, but not the name."""
        key = self.derive(Purpose.LOG, key_id=self.oldest)
        return hmac.digest(key, text.encode(), "sha256").hex()[:16]


def parse_keyring(secret: str) -> Keyring:
    """Reads `{"1": "<random text>", "2": …}`; raises Misconfigured, never quoting a value."""
    try:
        entries = json.loads(secret)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict) or not entries:
        raise Misconfigured("CACHE_KEY_SECRET_ID must hold a JSON object of numbered keys.")
    for number, text in entries.items():
        if not _NUMBER.fullmatch(number):
            raise Misconfigured("CACHE_KEY_SECRET_ID names its keys by numbers: 1, 2, 3.")
        if not isinstance(text, str) or not text.isascii() or len(text) < MIN_KEY_CHARACTERS:
            raise Misconfigured(
                f"Key {number} in CACHE_KEY_SECRET_ID needs {MIN_KEY_CHARACTERS} random ASCII "
                "characters or more."
            )
    return Keyring(keys={number: text.encode() for number, text in entries.items()})
