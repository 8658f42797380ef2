"""Tokens in the memory of one process: the cheapest hit there is."""

from __future__ import annotations

from collections import OrderedDict

from coze_sts.access_token import LAST_SECONDS, AccessToken, State, min_left, state

MAX_TOKENS = 512
FRESH_SECONDS = 60
STALE_SECONDS = 5


class TokenMemory:
    """The tokens used last, each for a minute at most, so that the table stays the truth."""

    def __init__(self, *, max_tokens: int = MAX_TOKENS) -> None:
        self._max_tokens = max_tokens
        self._held: OrderedDict[str, tuple[float, AccessToken]] = OrderedDict()

    def get(self, key: str, *, now: float) -> AccessToken | None:
        """The token under `key` while it may be held at `now` (UNIX seconds)."""
        until, token = self._held.get(key, (0.0, None))
        if now >= until:
            self._held.pop(key, None)
            return None
        self._held.move_to_end(key)
        return token

    def put(self, key: str, token: AccessToken, *, now: float) -> None:
        """Holds a FRESH token until it turns STALE, a minute at most, and any other for 5 s.

        A STALE one never into the time in which only a failure excuses it, and none into its
        last seconds, in which nothing is handed out.
        """
        phase = state(token, now=now)
        if phase is State.FRESH:
            until: float = min(now + FRESH_SECONDS, token.refresh_at)
        else:
            stale = phase is State.STALE
            left = min_left(token.expires_at - token.issued_at) if stale else LAST_SECONDS
            until = min(now + STALE_SECONDS, token.expires_at - left)
        self._held[key] = (until, token)
        self._held.move_to_end(key)
        if len(self._held) > self._max_tokens:
            self._held.popitem(last=False)

    def forget(self, key: str) -> None:
        """Drops the token under `key`, if there is one."""
        self._held.pop(key, None)

    def clear(self) -> None:
        """Drops everything."""
        self._held.clear()
