"""The demo site in front of the gateway: its files, the settings of its page, and no more."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from werkzeug import Request, Response

from tests.local.server import WsgiApp

DEMO_BOT = "7000000000000000001"
FILES = {
    "/": "index.html",
    "/coze-session.js": "coze-session.js",
    "/coze-session.classic.js": "coze-session.classic.js",
}
SETTINGS_PATH = "/demo/settings.json"
# Folders have plain names, which node_modules is none of; no name begins with a dot.
DEMO_FILE = re.compile(r"/demo/((?:[a-z-]+/)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# The lines that Coze's install dialog shows, by the host of the API.
SDK_URLS: Mapping[str, str] = MappingProxyType(
    {
        "api.coze.cn": "https://lf-cdn.coze.cn/obj/unpkg/flow-platform/chat-app-sdk/"
        "1.2.0-beta.10/libs/cn/index.js",
        "api.coze.com": "https://sf-cdn.coze.com/obj/unpkg-va/flow-platform/chat-app-sdk/"
        "1.2.0-beta.6/libs/oversea/index.js",
    }
)
# {issuer} and {coze} are on this machine, or Coze's own.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' https://lf-cdn.coze.cn https://sf-cdn.coze.com",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self' {issuer} {coze} https://*.coze.cn https://*.coze.com",
        "img-src 'self' https: data:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    ]
)


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """What the demo page has to know; ``sdk`` is the URL of the real widget, if it can be used."""

    issuer: str
    coze: str
    bot_id: str
    sdk: str | None

    def page(self, *, endpoint: str) -> dict[str, Any]:
        """As the page reads them, with the origin that it was loaded from."""
        return {
            "endpoint": endpoint,
            "issuer": self.issuer,
            "coze": self.coze,
            "botId": self.bot_id,
            "sdk": self.sdk,
            "standIn": self.sdk is None,
        }

    def content_security_policy(self) -> str:
        """What a page of the site may load, and whom it may call."""
        return CONTENT_SECURITY_POLICY.format(issuer=self.issuer, coze=self.coze)


def site_settings(*, coze: str, issuer: str, bot_id: str) -> SiteSettings:
    """The settings for Coze's API at ``coze``; any other address but Coze's own is a stand-in."""
    sdk = SDK_URLS.get(urlsplit(coze).hostname or "")
    known = bot_id or ("" if sdk else DEMO_BOT)
    return SiteSettings(issuer=issuer, coze=coze.rstrip("/"), bot_id=known, sdk=sdk)


class Site:
    """A WSGI app: serves a few files of ``folder``, and leaves everything else to ``app``."""

    def __init__(self, app: WsgiApp, *, folder: Path, settings: SiteSettings) -> None:
        self._app = app
        self._folder = folder
        self._settings = settings

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        answer = self._answer(Request(environ)) or self._app
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response | None:
        if request.environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        if request.path == SETTINGS_PATH:
            page = self._settings.page(endpoint=request.host_url.rstrip("/"))
            return Response(json.dumps(page), content_type=TYPES[".json"], headers=HEADERS)
        path = self._file(request.path)
        return self._served(path) if path else None

    def _file(self, path: str) -> Path | None:
        """The file that is served under a path; the names leave no way out of the folder."""
        demo = DEMO_FILE.fullmatch(path)
        name = f"demo/{demo[1]}" if demo else FILES.get(path)
        found = self._folder / name if name else None
        return found if found and found.suffix in TYPES and found.is_file() else None

    def _served(self, path: Path) -> Response:
        response = Response(path.read_bytes(), content_type=TYPES[path.suffix], headers=HEADERS)
        if path.suffix == ".html":
            policy = self._settings.content_security_policy()
            response.headers["Content-Security-Policy"] = policy
        return response
