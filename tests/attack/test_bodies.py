"""Bodies that are no object of the documented fields: 400 or 413 on every route, and no harm."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.attack.site import JSON, Site
from tests.attack.wire import Headers

BINARY: Headers = [("Content-Type", "application/octet-stream")]
NO_TYPE: Headers = []
FORM: Headers = [("Content-Type", "application/x-www-form-urlencoded")]

# The name is what a backend sends; a page that sends one is refused for that alone.
NAMED = '{"session_name": "victim", %s}'
BODIES: dict[str, tuple[Headers, bytes]] = {
    "no JSON": (JSON, b"session_name"),
    "a JSON text": (JSON, b'"session_name"'),
    "a JSON number": (JSON, b"1"),
    "a JSON null": (JSON, b"null"),
    "a JSON list of an object": (JSON, b'[{"session_name": "victim"}]'),
    "trailing garbage": (JSON, b'{"session_name": "victim"} x'),
    "two objects": (JSON, b'{"session_name": "victim"}{"session_name": "mallory"}'),
    "a NUL behind": (JSON, b'{"session_name": "victim"}\0'),
    "a NUL within": (JSON, b'{"session_name": "victim\0"}'),
    "a comment": (JSON, b'{"session_name": "victim" /* , */}'),
    "a trailing comma": (JSON, b'{"session_name": "victim",}'),
    "single quotes": (JSON, b"{'session_name': 'victim'}"),
    "a field twice": (JSON, (NAMED % '"session_name": "mallory"').encode()),
    "a field twice, once in escapes": (JSON, (NAMED % r'"session_\u006eame": "m"').encode()),
    "a field twice within a field": (JSON, (NAMED % '"x": {"a": "1", "a": "2"}').encode()),
    "an object for a name": (JSON, b'{"session_name": {"$gt": ""}}'),
    "a list for a name": (JSON, b'{"session_name": ["victim"]}'),
    "true for a name": (JSON, b'{"session_name": true}'),
    "null for a name": (JSON, b'{"session_name": null}'),
    "NaN": (JSON, b'{"session_name": NaN}'),
    "Infinity": (JSON, b'{"session_name": Infinity}'),
    "minus Infinity": (JSON, b'{"session_name": -Infinity}'),
    "a number beyond doubles": (JSON, b'{"session_name": 1e400}'),
    "a number of 4,000 digits": (JSON, b'{"session_name": 1%s}' % (b"0" * 4000)),
    "a number of 4,301 digits": (BINARY, b'{"session_name": 1%s}' % (b"0" * 4301)),
    "10 to the 5,000": (JSON, b'{"session_name": 1%s}' % (b"0" * 5000)),
    "2,000 deep": (JSON, b'{"session_name":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "2,000 deep and open": (JSON, b'{"a":' * 800),
    "100,000 deep": (JSON, b"[" * 100_000 + b"]" * 100_000),
    "1 MB": (JSON, b'{"session_name": "%s"}' % (b"v" * 1_000_000)),
    "1 MB of spaces": (JSON, b" " * 1_000_000 + b'{"session_name": "victim"}'),
    "bytes that are no UTF-8": (BINARY, b'{"session_name": "\xff\xfe"}'),
    "bytes that are no UTF-8, as text": (JSON, b'{"session_name": "\xff\xfe"}'),
    "an overlong slash": (BINARY, b'{"session_name": "\xc0\xaf"}'),
    "a surrogate in UTF-8": (BINARY, b'{"session_name": "\xed\xa0\x80"}'),
    "a lone surrogate": (JSON, rb'{"session_name": "\ud800"}'),
    "surrogates the wrong way round": (JSON, rb'{"session_name": "\udc00\ud800"}'),
    "a mark of byte order": (JSON, b'\xef\xbb\xbf{"session_name": "victim"}'),
    "a mark of byte order, as bytes": (BINARY, b'\xef\xbb\xbf{"session_name": "victim"}'),
    "nothing but a mark of byte order": (JSON, b"\xef\xbb\xbf"),
    "UTF-16": (BINARY, '{"session_name": "victim"}'.encode("utf-16")),
    "UTF-32": (BINARY, '{"session_name": "victim"}'.encode("utf-32-le")),
    "gzip": ([*JSON, ("Content-Encoding", "gzip")], gzip.compress(b'{"session_name": "victim"}')),
    "a form": (FORM, b"session_name=victim"),
    "a form in a form": (FORM, b"body=%7B%22session_name%22%3A%22victim%22%7D"),
    "base64 of an object": (NO_TYPE, b"eyJzZXNzaW9uX25hbWUiOiAidmljdGltIn0="),
    "an empty field name": (JSON, (NAMED % '"": ""').encode()),
    "a prototype": (JSON, (NAMED % '"__proto__": {"session_name": "mallory"}').encode()),
    "a ticket that is a list": (JSON, b'{"guest_ticket": ["g1"]}'),
    "a rejected token in capitals": (JSON, (NAMED % f'"rejected_token": "{"A" * 64}"').encode()),
    "a rejected token and a line end": (
        JSON,
        (NAMED % rf'"rejected_token": "{"0" * 64}\n"').encode(),
    ),
}  # fmt: skip


def targets(site: Site) -> list[str]:
    return [route for route in site.routes if route != "GET /health"]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_not_documented_is_400_on_every_route(site: Site, name: str) -> None:
    headers, body = BODIES[name]
    with site.untouched():
        for route in targets(site):
            answer = site.send(route, [*headers, *site.proof(route, body)], body)
            assert (answer.status, answer.json["error"]) == (400, "invalid_request"), route


@pytest.mark.parametrize("megabytes", [7, 11])
@pytest.mark.parametrize("route", ["POST /guest/token", "POST /backend/token"])
def test_a_body_beyond_the_limits_of_aws_is_413(site: Site, route: str, megabytes: int) -> None:
    body = b'{"session_name": "%s"}' % (b"v" * megabytes * 1024 * 1024)
    with site.untouched():
        answer = site.send(route, [*JSON, *site.proof(route, body)], body)
    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})


def test_a_body_in_base64_is_read_as_what_it_is(site: Site) -> None:
    """API Gateway hands over what it does not know as text in base64."""
    route, body = "POST /backend/token", json.dumps({"session_name": "u-42"}).encode()
    answers = [
        site.send(route, [*headers, *site.signed(route, body)], body)
        for headers in (JSON, BINARY, NO_TYPE, FORM)
    ]
    assert [answer.status for answer in answers] == [200] * 4
    assert {site.session(answer) for answer in answers} == {"u-42"}
