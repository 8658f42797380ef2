"""``make smoke``: what it says of a healthy endpoint, and of each that is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from werkzeug import Request, Response

from tests.local.server import serve
from tests.local.stack import LocalStack
from tests.smoke.__main__ import main, run
from tests.smoke.checks import Site

ORIGIN = "https://www.example.com"
MARKS = {"ok", "not tried", "WRONG"}
TOKEN = {"access_token": "czs_1", "expires_in": 3600, "guest_ticket": "g1"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(parameters={"AllowedOrigins": ORIGIN, "AllowNoOrigin": "off"}) as stack:
        yield stack


def smoked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit status, and the line of each check by its name."""
    status = main(arguments)
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if line[:9].strip() in MARKS]
    return status, {line[11:27].strip(): line for line in said}


def test_a_healthy_endpoint_passes_every_check(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = smoked(capsys, stack.url, "--origin", ORIGIN)
    assert status == 0
    assert len(lines) == 9
    assert {line[:9].strip() for line in lines.values()} == {"ok"}
    assert not any(token in line for token in stack.coze.tokens for line in lines.values())


def test_what_needs_an_origin_is_said_to_be_not_tried(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = smoked(capsys, stack.url)
    assert status == 0
    not_tried = {name for name, line in lines.items() if line.startswith("not tried")}
    assert not_tried == {"guest", "forged ticket", "preflight"}


def test_an_origin_that_is_not_allowed_is_wrong(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = smoked(capsys, stack.url, "--origin", "https://wwww.example.com")
    assert status == 1
    wrong = {name for name, line in lines.items() if line.startswith("WRONG")}
    assert wrong == {"guest"}
    assert "AllowedOrigins" in lines["guest"]


def test_what_refuses_guests_for_another_reason_is_not_said_to_have_served_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with LocalStack(parameters={"AllowedOrigins": ORIGIN, "GuestSessions": "off"}) as closed:
        status, lines = smoked(capsys, closed.url, "--origin", ORIGIN)
    assert status == 0
    assert lines["guest"].startswith("not tried")
    assert "Guests are not admitted" in lines["guest"]


@pytest.mark.parametrize(("scheme", "status"), [("http", 0), ("https", 1)])
def test_only_behind_sam_local_may_preflights_go_unanswered(
    scheme: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(spoilt(answers_no_preflight)) as server, requests.Session() as http:
        http.mount("https://", ToHttp())
        endpoint = server.url.replace("http", scheme, 1)
        assert run(Site(endpoint=endpoint, origin=ORIGIN, http=http)) == status
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("WRONG" if status else "not tried")


def test_an_endpoint_that_does_not_answer_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:1"]) == 2


def test_an_endpoint_without_a_scheme_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["abc123.execute-api.eu-west-1.amazonaws.com"])
    assert stopped.value.code == 2
    assert "ENDPOINT=" in capsys.readouterr().err


def spoilt(change: Callable[[Request, Response], Response | None]) -> Callable[..., Any]:
    """A service that is right but for one thing."""

    def answer(request: Request) -> Response:
        origin = request.headers.get("Origin")
        headers = {"Access-Control-Allow-Origin": origin} if origin == ORIGIN else {}
        if request.method == "OPTIONS":
            return Response(status=204, headers=headers)
        if request.path == "/health":
            return Response("{}", headers=headers)
        sent = request.get_json(silent=True) or {}
        if (
            request.path == "/guest/token"
            and origin == ORIGIN
            and sent.get("guest_ticket", "g1") == "g1"
        ):
            return Response(json.dumps(TOKEN), headers={**headers, "Cache-Control": "no-store"})
        return Response('{"error": "access_denied"}', status=403, headers=headers)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        response = answer(request)
        return (change(request, response) or response)(environ, start_response)

    return app


def gives_a_token(path: str, **wanted: str) -> Callable[[Request, Response], Response | None]:
    """Hands out a token on this path to whoever sends these headers."""

    def change(request: Request, _response: Response) -> Response | None:
        there = all(request.headers.get(name) == value for name, value in wanted.items())
        return Response(json.dumps(TOKEN)) if request.path == path and there else None

    return change


def cacheable(request: Request, response: Response) -> None:
    response.headers.pop("Cache-Control", None)


def open_to_all(request: Request, response: Response) -> None:
    response.headers["Access-Control-Allow-Origin"] = "*"


def answers_no_preflight(request: Request, _response: Response) -> Response | None:
    return Response() if request.method == "OPTIONS" else None


class ToHttp(HTTPAdapter):
    """Reaches a server of these tests, which has no certificate, by an address of https."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        request.url = str(request.url).replace("https", "http", 1)
        return super().send(request, *args, **kwargs)


def ill(request: Request, response: Response) -> Response | None:
    return Response("{}", status=500) if request.path == "/health" else None


def takes_any_ticket(request: Request, _response: Response) -> Response | None:
    forged = "forged" in request.get_data(as_text=True)
    return Response(json.dumps(TOKEN)) if forged else None


FLAWS = {
    "health": ill,
    "guest": cacheable,
    "foreign page": gives_a_token("/guest/token", Origin="https://elsewhere.example"),
    "forged ticket": takes_any_ticket,
    "no sign in": gives_a_token("/token"),
    "unsigned backend": gives_a_token("/backend/assertion"),
    "preflight": open_to_all,
}


@pytest.mark.parametrize("name", FLAWS)
def test_each_flaw_is_wrong_and_no_token_is_shown(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(spoilt(FLAWS[name])) as server:
        status, lines = smoked(capsys, server.url, "--origin", ORIGIN)
    assert status == 1
    assert lines[name].startswith("WRONG")
    assert "czs_1" not in "".join(lines.values())


def test_without_a_flaw_the_same_service_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(spoilt(lambda _request, _response: None)) as server, requests.Session() as http:
        assert run(Site(endpoint=server.url, origin=ORIGIN, http=http)) == 0
