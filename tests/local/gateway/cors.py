"""CORS as an HTTP API does it: preflights answered at once, the function's own headers dropped.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from werkzeug import Request, Response
from werkzeug.datastructures import Headers


@dataclass(frozen=True, kw_only=True)
class Cors:
    """The CorsConfiguration of the API; ``max_age`` in seconds."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    expose: tuple[str, ...]
    max_age: int | None

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Self:
        """Read the CorsConfiguration property of AWS::ApiGatewayV2::Api."""
        return cls(
            origins=tuple(configuration.get("AllowOrigins", ())),
            methods=tuple(configuration.get("AllowMethods", ())),
            headers=tuple(configuration.get("AllowHeaders", ())),
            expose=tuple(configuration.get("ExposeHeaders", ())),
            max_age=configuration.get("MaxAge"),
        )

    def preflight(self, request: Request) -> Response | None:
        """The answer to a preflight, whatever its path; None where the request is none."""
        asks = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
        if request.method != "OPTIONS" or not asks:
            return None
        answer = Response(status=204)
        answer.headers.clear()
        if self._allows(request):
            self._allow_origin(answer.headers, request)
            answer.headers["access-control-allow-methods"] = ",".join(self.methods)
            answer.headers["access-control-allow-headers"] = ",".join(self.headers)
            if self.max_age is not None:
                answer.headers["access-control-max-age"] = str(self.max_age)
        return answer

    def apply(self, request: Request, headers: Headers) -> None:
        """Drop what the function said about CORS and say what the API's configuration says."""
        for name in {name for name, _ in headers if name.startswith("access-control-")}:
            del headers[name]
        if self._allows(request):
            self._allow_origin(headers, request)
            if self.expose:
                headers["access-control-expose-headers"] = ",".join(self.expose)

    def _allows(self, request: Request) -> bool:
        origin = request.headers.get("Origin")
        return origin is not None and (origin in self.origins or "*" in self.origins)

    def _allow_origin(self, headers: Headers, request: Request) -> None:
        if "*" in self.origins:
            headers["access-control-allow-origin"] = "*"
            return
        headers["access-control-allow-origin"] = request.headers["Origin"]
        headers.add("vary", "Origin")
