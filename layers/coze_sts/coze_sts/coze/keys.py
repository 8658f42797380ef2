"""Which key to sign with while one is being replaced by another."""

from __future__ import annotations

from collections.abc import Callable

from coze_sts.access_token import AccessToken
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import StsError, UnknownKey, UnusableKey
from coze_sts.stored_secret import StoredSecret

PREFER_SECONDS = 60
"""How long the previous key goes first after it worked and the current one did not."""


class AppKeys:
    """The current key and, where Coze does not know it or it cannot sign, what else may work.

    Coze takes some seconds to learn a new key, and a process some minutes to learn of a new
    secret: meanwhile the other version still signs what Coze accepts.
    """

    def __init__(
        self,
        *,
        current: StoredSecret[CozeApp],
        previous: StoredSecret[CozeApp],
        clock: Callable[[], float],
        on_unusable: Callable[[StsError], None] = lambda _failure: None,
    ) -> None:
        self._current = current
        self._previous = previous
        self._clock = clock
        self._on_unusable = on_unusable
        self._prefer_previous_until = 0.0

    def current(self) -> CozeApp:
        """The app, with the key of AWSCURRENT; raises Misconfigured or TemporarilyUnavailable."""
        return self._current.get()

    def renewed(self) -> CozeApp:
        """The same, asked for anew unless that was done within the last minute."""
        return self._current.renewed()

    def forget(self) -> None:
        """Holds no key any more, as at the start."""
        self._current.forget()
        self._previous.forget()
        self._prefer_previous_until = 0.0

    def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
        """Makes an attempt with one key, and with one other where the first cannot be used.

        Raises whatever the attempt raises. That Coze does not know a key outweighs that another
        cannot sign: only the first is held against the next requests.
        """
        first = self._preferred()
        try:
            return attempt(first)
        except UnknownKey as failure:
            refused: UnknownKey | UnusableKey = failure
            # Coze knows keys by their id.
            second = self._other(first, differs=lambda app: app.kid != first.kid)
        except UnusableKey as failure:
            self._on_unusable(failure)
            refused = failure
            # Of a file that was stored damaged, the one before and the mended one have its id.
            second = self._other(first, differs=lambda app: app.signer != first.signer)
        if second is None:
            raise refused
        token = self._attempt_again(attempt, second, after=refused)
        previous = second != self._current.get()
        self._prefer_previous_until = self._clock() + PREFER_SECONDS if previous else 0
        return token

    def _attempt_again(
        self, attempt: Callable[[CozeApp], AccessToken], second: CozeApp, *, after: StsError
    ) -> AccessToken:
        try:
            return attempt(second)
        except UnusableKey as failure:
            if isinstance(after, UnusableKey):
                raise
            self._on_unusable(failure)
        raise after

    def _preferred(self) -> CozeApp:
        current = self._current.get()
        if self._clock() < self._prefer_previous_until:
            previous = self._held_previous()
            if previous is not None and previous.identity == current.identity:
                return previous
        return current

    def _other(self, first: CozeApp, *, differs: Callable[[CozeApp], bool]) -> CozeApp | None:
        """The current key, asked for anew, or else the previous one; None if neither differs.

        Never the key of another app: its tokens would be another app's.
        """
        for ask in (self._current.renewed, self._held_previous):
            app = ask()
            if app is not None and differs(app) and app.identity == first.identity:
                return app
        return None

    def _held_previous(self) -> CozeApp | None:
        try:
            return self._previous.get()
        except StsError:
            return None
