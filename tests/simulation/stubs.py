"""What the performer needs and a simulation has no use for."""

from __future__ import annotations

import hashlib

from coze_sts.errors import StsError
from coze_sts.keyring import Purpose


class QuickKeyring:
    """Keys that are made at once; `newest` writes."""

    newest = "1"

    def derive(self, purpose: Purpose, *, key_id: str | None = None, salt: bytes = b"") -> bytes:
        if key_id not in (None, self.newest):
            raise KeyError(key_id)
        return hashlib.sha256(purpose.value + salt).digest()


class Quiet:
    """Telemetry that nobody reads."""

    def note(self, **_facts: object) -> None:
        pass

    def count(self, metric: str) -> None:
        pass

    def coze_took(self, seconds: float) -> None:
        pass

    def warn(self, failure: StsError) -> None:
        pass
