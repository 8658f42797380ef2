"""What an endpoint is asked with, and what it may answer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Request

from tests.local.coze.errors import bad_request
from tests.local.coze.records import TokenRecord


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that a live access token came with, at ``now`` (UNIX seconds)."""

    request: Request
    token: TokenRecord
    now: float

    def body(self) -> dict[str, Any]:
        """The JSON object in the body, empty where there is none; raises ApiRefusal."""
        try:
            body = json.loads(self.request.get_data() or b"{}")
        except ValueError:
            raise bad_request("body is not JSON") from None
        if not isinstance(body, dict):
            raise bad_request("body is not an object")
        return body

    def argument(self, name: str) -> str:
        """A parameter of the query; raises ApiRefusal where it is missing."""
        value = self.request.args.get(name)
        if not value:
            raise bad_request(f"{name} is required")
        return value


@dataclass(frozen=True, kw_only=True)
class EventStream:
    """An answer that comes in pieces: server-sent events."""

    events: Iterable[bytes]


# The fields of a JSON body beside code, msg and detail; or a stream.
Answer = Mapping[str, Any] | EventStream
