"""Faults are where a test wants them; without one the service is as it is."""

import json
from typing import Any

import pytest
import requests
from werkzeug import Request, Response
from werkzeug.test import Client

from tests.local.faults import HANG_UP, Faults, Planned
from tests.local.server import serve

LATE = 5


def service(request: Request) -> Response:
    """Says what it was sent."""
    return Response(request.get_data() or b"service")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def faults(slept: list[float]) -> Faults:
    return Faults(Request.application(service), sleep=slept.append)


def test_without_a_plan_the_service_answers_at_once(faults: Faults, slept: list[float]) -> None:
    assert Client(faults).post("/guest/token", data=b"words").data == b"words"
    assert not slept


def test_planned_answers_come_in_their_order_and_then_the_service(faults: Faults) -> None:
    faults.next["/token"] = [
        Planned(status=429, body={"error": "slow_down"}, headers={"Retry-After": "7"}),
        Planned(status=200, body=b"<html>garbage</html>"),
    ]
    first, second, third = (Client(faults).post("/token") for _ in range(3))
    assert (first.status_code, first.json) == (429, {"error": "slow_down"})
    assert first.headers["Retry-After"] == "7"
    assert first.headers["Content-Type"] == "application/json"
    assert (second.status_code, second.data) == (200, b"<html>garbage</html>")
    assert (third.status_code, third.data) == (200, b"service")


def test_a_plan_is_for_its_path_only(faults: Faults) -> None:
    faults.next["/token"] = [Planned(status=503)]
    assert Client(faults).post("/guest/token").status_code == 200
    assert Client(faults).post("/token").status_code == 503


def test_a_callable_is_asked_each_time(faults: Faults) -> None:
    answers = iter([Planned(status=503), None, Planned(status=500)])
    faults.next["/guest/token"] = lambda: next(answers)
    statuses = [Client(faults).post("/guest/token").status_code for _ in range(3)]
    assert statuses == [503, 200, 500]


def test_only_token_requests_wait(faults: Faults, slept: list[float]) -> None:
    faults.delay_seconds = 2.5
    for path in ("/token", "/token/2", "/guest/token", "/", "/demo/page.js", "/tokens"):
        Client(faults).get(path)
    assert slept == [2.5] * 3


def test_token_requests_are_remembered_and_the_service_still_reads_them(faults: Faults) -> None:
    body = json.dumps({"guest_ticket": "t"}).encode()
    answer = Client(faults).post("/guest/token", data=body, headers={"Authorization": "Bearer x"})
    assert answer.data == body
    Client(faults).get("/demo/page.js")
    (seen,) = faults.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/guest/token", body)
    assert seen.headers["authorization"] == "Bearer x"
    assert "Bearer" not in repr(seen)
    assert "ticket" not in repr(seen)


@pytest.mark.parametrize("environ", [{"wsgi.input_terminated": True}, {"CONTENT_LENGTH": "65537"}])
def test_a_body_of_unknown_or_great_length_is_left_to_the_service(
    faults: Faults, environ: dict[str, Any]
) -> None:
    body = b"x" * 65_537
    answer = Client(faults).post("/token", data=body, environ_overrides=environ)
    assert answer.data == body
    assert faults.seen[0].body is None


def test_a_service_that_is_down_closes_the_connection(
    faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    faults.next["/token"] = [HANG_UP, HANG_UP]
    with serve(faults) as server, requests.Session() as session:
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.post(f"{server.url}/token", data=b"x", timeout=LATE)
        assert session.post(f"{server.url}/token", timeout=LATE).text == "service"
    assert capsys.readouterr().err == ""
