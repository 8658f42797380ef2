"""What API Gateway says itself, before or in place of the function."""

import json
from dataclasses import dataclass

from werkzeug import Response


@dataclass(frozen=True)
class Refusal:
    """A status with the one word that API Gateway has for it."""

    status: int
    message: str


UNAUTHORIZED = Refusal(401, "Unauthorized")
FORBIDDEN = Refusal(403, "Forbidden")
NOT_FOUND = Refusal(404, "Not Found")
TOO_LARGE = Refusal(413, "Request Entity Too Large")
HEADERS_TOO_LARGE = Refusal(431, "Request Header Fields Too Large")
INTERNAL_SERVER_ERROR = Refusal(500, "Internal Server Error")


class GatewayRefusal(Exception):
    """API Gateway refuses; ``why`` is for the terminal only, callers never see it."""

    def __init__(self, refusal: Refusal, *, why: str, www_authenticate: str | None = None) -> None:
        super().__init__(why)
        self.refusal = refusal
        self.www_authenticate = www_authenticate

    def response(self) -> Response:
        """The response that the caller gets."""
        answer = Response(
            json.dumps({"message": self.refusal.message}, separators=(",", ":")),
            status=self.refusal.status,
            mimetype="application/json",
        )
        if self.www_authenticate:
            answer.headers["www-authenticate"] = self.www_authenticate
        return answer
