"""What the operator sets in Coze's console, and what is left of the free quota."""

import threading
from typing import Literal

from tests.local.coze.errors import ApiRefusal

Channel = Literal["api", "chat_sdk"]


class Account:
    """One account, its app's permissions, and the channels that its bots are published to.

    ``chats_left`` counts down with each chat; None: no end.
    """

    def __init__(self) -> None:
        self.withdrawn: set[str] = set()
        self.channels: set[Channel] = {"api", "chat_sdk"}
        self.chats_left: int | None = None
        self._lock = threading.Lock()

    def check_permissions(self, needed: tuple[str, ...]) -> None:
        """Raise ApiRefusal unless the app has them all."""
        if not self.withdrawn.isdisjoint(needed):
            raise no_permission()

    def check_api_channel(self) -> None:
        """Raise ApiRefusal unless bots are published to the API channel."""
        if "api" not in self.channels:
            raise _unpublished()

    def check_chat_sdk_channel(self) -> None:
        """Raise ApiRefusal unless bots are published to Chat SDK."""
        if "chat_sdk" not in self.channels:
            raise _unpublished()

    def take_chat(self) -> None:
        """Use one chat up; raise ApiRefusal where none can be had."""
        if not self.channels:
            raise _unpublished()
        with self._lock:
            if self.chats_left == 0:
                # No document says how a status goes with this code: Coze often sends 200.
                raise ApiRefusal(status=200, code=4028, message="Your free quota has been used up.")
            if self.chats_left is not None:
                self.chats_left -= 1


def no_permission() -> ApiRefusal:
    """The refusal of what the app or the token may not do."""
    return ApiRefusal(status=403, code=4101, message="no permission to access the resource")


def _unpublished() -> ApiRefusal:
    message = "The bot is not published to the corresponding platform."
    return ApiRefusal(status=200, code=4015, message=message)
