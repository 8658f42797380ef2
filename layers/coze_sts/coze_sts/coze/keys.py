"""Which key to sign with while one is being replaced by another."""

from __future__ import annotations

from collections.abc import Callable

from coze_sts.access_token import AccessToken
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import StsError, UnknownKey
from coze_sts.stored_secret import StoredSecret

PREFER_SECONDS = 60
"""How long the previous key goes first after it worked and the current one did not."""


class AppKeys:
    """The current key and, where Coze does not know it, what else may work.

    Coze takes some seconds to learn a new key, and a process some minutes to learn of a new
    secret: meanwhile the other version still signs what Coze accepts.
    """

    def __init__(
        self,
        *,
        current: StoredSecret[CozeApp],
        previous: StoredSecret[CozeApp],
        clock: Callable[[], float],
    ) -> None:
        self._current = current
        self._previous = previous
        self._clock = clock
        self._prefer_previous_until = 0.0

    def current(self) -> CozeApp:
        """The app, with the key of AWSCURRENT; raises Misconfigured or TemporarilyUnavailable."""
        return self._current.get()

    def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
        """Makes an attempt with one key, and with one other where Coze does not know the first.

        Raises whatever the attempt raises.
        """
        first = self._preferred()
        try:
            return attempt(first)
        except UnknownKey:
            second = self._other_than(first)
            if second is None:
                raise
        token = attempt(second)
        if second is not self._current.get():
            self._prefer_previous_until = self._clock() + PREFER_SECONDS
        return token

    def _preferred(self) -> CozeApp:
        if self._clock() < self._prefer_previous_until:
            return self._held_previous() or self._current.get()
        return self._current.get()

    def _other_than(self, first: CozeApp) -> CozeApp | None:
        """The current key, asked for anew, or else the previous one; None if neither differs."""
        for app in (self._current.renewed(), self._held_previous()):
            if app is not None and app.kid != first.kid:
                return app
        return None

    def _held_previous(self) -> CozeApp | None:
        try:
            return self._previous.get()
        except StsError:
            return None
