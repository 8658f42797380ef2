"""SnapStart: one process starts, and every other one begins as a copy of its memory.

So its memory may hold nothing secret yet, and nothing that two processes must not share.
"""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore.credentials import create_credential_resolver

from coze_sts.settings import starts_from_snapshot

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from botocore.session import Session


class LateCredentials:
    """AWS's keys, asked for when a call is first signed, and not when a client is made.

    With SnapStart Lambda hands them out over a connection, and what came of it would be in every
    copy. Takes the place of what a session asks for them, and of what it gets.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: Credentials | None = None
        session.register_component("credential_provider", self)

    def load_credentials(self) -> LateCredentials:
        """What botocore asks of a provider."""
        return self

    def get_frozen_credentials(self) -> ReadOnlyCredentials | None:
        """What botocore signs with."""
        found = self._find()
        return found.get_frozen_credentials() if found else None

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """What botocore may want to know before it signs."""
        return lambda: getattr(self._find(), property_name, None)

    def forget(self) -> None:
        """Has them asked for anew, over a new connection."""
        self._found = None

    def _find(self) -> Credentials | None:
        self._found = self._found or create_credential_resolver(self._session).load_credentials()
        return self._found


def register(*forget: Callable[[], object], load: Iterable[str]) -> None:
    """Where Lambda takes a snapshot: modules to `load` are in it, and each copy forgets."""
    if not starts_from_snapshot():
        return
    # Lambda's own runtime has it, and nothing else needs it.
    from snapshot_restore_py import (  # noqa: PLC0415
        register_after_restore,
        register_before_snapshot,
    )

    for module in load:
        register_before_snapshot(import_module, module)
    for each in (*forget, reseed):
        register_after_restore(each)


def reseed() -> None:
    """Gives a copy random numbers of its own, beside those of the kernel, which are always new.

    The first client that is made seeds OpenSSL. It takes a new seed after a fork, but does not
    notice that it was copied: all copies would go into TLS with the same secrets. Python's own
    generator draws botocore's pauses between attempts.
    """
    ssl.RAND_add(os.urandom(32), 32)
    random.seed()
