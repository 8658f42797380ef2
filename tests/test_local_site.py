"""The demo site is served as a careful static host would, and nothing beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug import Request, Response
from werkzeug.test import Client

from tests.local.functions import ROOT
from tests.local.site import DEMO_BOT, Site, SiteSettings, site_settings
from tests.local.stack import LocalStack

SERVED = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/coze-session.js": ("coze-session.js", "text/javascript; charset=utf-8"),
    "/coze-session.classic.js": ("coze-session.classic.js", "text/javascript; charset=utf-8"),
    "/demo/page.html": ("demo/page.html", "text/html; charset=utf-8"),
    "/demo/page.js": ("demo/page.js", "text/javascript; charset=utf-8"),
    "/demo/zh-CN.css": ("demo/zh-CN.css", "text/css; charset=utf-8"),
    "/demo/stand-in/view.js": ("demo/stand-in/view.js", "text/javascript; charset=utf-8"),
    "/demo/icon.svg": ("demo/icon.svg", "image/svg+xml"),
    "/demo/words.json": ("demo/words.json", "application/json"),
}
HIDDEN = [
    "index.html.map",
    "package.json",
    "coze-session.d.ts",
    ".npmrc",
    "src/session.js",
    "node_modules/x/index.js",
    "demo/.env.js",
    "demo/README",
    "demo/notes.md",
    "demo/.git/x.js",
    "demo/node_modules/x.js",
]


def settings(**changed: Any) -> SiteSettings:
    given = {"coze": "http://127.0.0.1:3001", "issuer": "http://127.0.0.1:3002", "bot_id": ""}
    return site_settings(**{**given, **changed})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name in [name for name, _ in SERVED.values()] + HIDDEN:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    (tmp_path / "outside.js").write_text("this is outside")
    return folder


def behind(request: Request) -> Response:
    """What is asked of the gateway."""
    body = {
        "message": "Not Found",
        "was": [request.method, request.path, request.get_data(as_text=True)],
    }
    return Response(json.dumps(body), status=404, mimetype="application/json")


@pytest.fixture
def client(folder: Path) -> Client:
    gateway = Request.application(behind)
    return Client(Site(gateway, folder=folder, settings=settings()))


@pytest.mark.parametrize("path", SERVED)
def test_a_file_is_served_with_its_type(client: Client, path: str) -> None:
    name, content_type = SERVED[path]
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, f"this is {name}")
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert ("Content-Security-Policy" in answer.headers) == name.endswith(".html")


@pytest.mark.parametrize("path", [*SERVED, "/demo/settings.json"])
def test_head_is_answered_as_get_without_the_body(client: Client, path: str) -> None:
    answer, got = client.head(path), client.get(path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers == got.headers


@pytest.mark.parametrize(
    "path",
    [
        *[f"/{name}" for name in HIDDEN],
        "/index.html",
        "/nowhere.js",
        "/demo",
        "/demo/",
        "/demo/nowhere.js",
        "/demo/stand-in/",
        "/demo/stand-in/../../../outside.js",
        "/demo/../../outside.js",
        "/demo/..%2f..%2foutside.js",
        "/demo/%2e%2e/%2e%2e/outside.js",
        "/demo/..\\..\\outside.js",
        "/demo/page.html%00.js",
        "/demo/page.html%0A",
        "/demo//page.html",
        "/%ff",
        "/health",
    ],
)
def test_nothing_else_is_served_but_left_to_the_gateway(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json["message"] == "Not Found"
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_another_method_is_left_to_the_gateway_with_its_body(client: Client, method: str) -> None:
    environ = {"REQUEST_METHOD": method}
    answer = client.open("/", data=b"words", environ_overrides=environ)
    assert answer.json["was"] == [method.upper(), "/", "words"]


def test_a_page_may_load_and_call_what_it_needs_and_no_more(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self' https://lf-cdn.coze.cn https://sf-cdn.coze.com",
        "style-src": "'self' 'unsafe-inline'",
        "connect-src": "'self' http://127.0.0.1:3002 http://127.0.0.1:3001 "
        "https://*.coze.cn https://*.coze.com",
        "img-src": "'self' https: data:",
        "frame-src": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }


@pytest.mark.parametrize("origin", ["http://127.0.0.1:3000", "http://localhost:3000"])
def test_the_endpoint_is_the_origin_that_the_page_came_from(client: Client, origin: str) -> None:
    answer = client.get("/demo/settings.json", base_url=origin)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.json == {
        "endpoint": origin,
        "issuer": "http://127.0.0.1:3002",
        "coze": "http://127.0.0.1:3001",
        "botId": DEMO_BOT,
        "sdk": None,
        "standIn": True,
    }


@pytest.mark.parametrize(
    ("coze", "cdn"),
    [
        ("https://api.coze.cn", "https://lf-cdn.coze.cn/"),
        ("https://api.coze.com/", "https://sf-cdn.coze.com/"),
    ],
)
def test_with_coze_itself_the_page_loads_the_widget_of_that_region(coze: str, cdn: str) -> None:
    page = settings(coze=coze).page(endpoint="http://127.0.0.1:3000")
    assert page["sdk"].startswith(cdn)
    assert (page["coze"], page["standIn"], page["botId"]) == (coze.rstrip("/"), False, "")
    assert settings(coze=coze, bot_id="7").page(endpoint="")["botId"] == "7"


@pytest.mark.parametrize("coze", ["http://127.0.0.1:9", "https://api.coze.cn.example"])
def test_any_other_address_is_a_stand_in(coze: str) -> None:
    page = settings(coze=coze).page(endpoint="")
    assert (page["sdk"], page["standIn"], page["botId"]) == (None, True, DEMO_BOT)
    assert settings(coze=coze, bot_id="7").page(endpoint="")["botId"] == "7"


def test_the_stack_serves_site_and_service_from_one_origin(folder: Path) -> None:
    with LocalStack(site=folder) as stack:
        assert requests.get(stack.url, timeout=5).text == "this is index.html"
        told = requests.get(f"{stack.url}/demo/settings.json", timeout=5).json()
        assert told["endpoint"] == stack.url
        assert (told["issuer"], told["coze"]) == (stack.oidc.issuer, stack.coze_url)
        assert told["standIn"]
        assert requests.post(f"{told['endpoint']}/guest/token", timeout=5).status_code == 200
        assert requests.get(f"{stack.url}/nowhere", timeout=5).json() == {"message": "Not Found"}
        evil = {"Host": "evil.example"}
        assert requests.get(stack.url, headers=evil, timeout=5).status_code == 403


@pytest.mark.skipif(
    not (ROOT / "site" / "index.html").is_file(), reason="site/index.html is not written yet"
)
def test_the_stack_serves_the_page_itself() -> None:
    with LocalStack() as stack:
        page = requests.get(stack.url, timeout=5)
        assert page.status_code == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<html" in page.text
        helper = requests.get(f"{stack.url}/coze-session.js", timeout=5)
        assert helper.headers["Content-Type"] == "text/javascript; charset=utf-8"
