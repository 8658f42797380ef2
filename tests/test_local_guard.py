"""A web page that is open on the developer's machine gets nothing out of the local stack."""

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tests.local.guard import Guard

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=key-1/20260101/us-east-1/x, Signature=0"}


def status(guard: Guard, headers: dict[str, str], host: str = "127.0.0.1:3003") -> int:
    return Client(guard).get("/", headers=headers, base_url=f"http://{host}").status_code


def test_a_page_is_refused_where_pages_have_no_business() -> None:
    origin = {"Origin": "https://evil.example"}
    assert status(Guard(Response("ok"), pages=False), origin) == 403
    assert status(Guard(Response("ok"), pages=False), {}) == 200
    assert status(Guard(Response("ok"), pages=True), origin) == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [("evil.example", 403), ("evil.example:3000", 403), ("localhost:3000", 200), ("[::1]:1", 200)],
)
def test_a_name_that_somebody_points_here_is_refused(host: str, expected: int) -> None:
    assert status(Guard(Response("ok"), pages=True), {}, host) == expected


def test_only_the_key_of_this_start_is_admitted() -> None:
    guard = Guard(Response("ok"), pages=False, access_key="key-1")
    assert status(guard, SIGNED) == 200
    assert status(guard, {"Authorization": SIGNED["Authorization"].replace("key-1", "x")}) == 403
    assert status(guard, {}) == 403
