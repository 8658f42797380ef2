"""Headers and paths that a browser would not write: whoever writes them gets in no further."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.attack import wire
from tests.attack.site import JSON, Site, bearer
from tests.attack.wire import Headers

PAGES = ["POST /token", "DELETE /token", "POST /token/2", "DELETE /token/2", "POST /guest/token"]


def origins(*values: str) -> Headers:
    return [("Origin", value) for value in values]


ORIGINS: dict[str, Callable[[str], Headers]] = {
    "none": lambda _: [],
    "empty": lambda _: origins(""),
    "null": lambda _: origins("null"),
    "a star": lambda _: origins("*"),
    "another site": lambda _: origins("https://evil.example"),
    "another site, first": lambda own: origins("https://evil.example", own),
    "another site, second": lambda own: origins(own, "https://evil.example"),
    "the own one twice": lambda own: origins(own, own),
    "in strange capitals": lambda _: [("oRiGiN", "https://evil.example")],
    "in two spellings": lambda own: [("Origin", own), ("ORIGIN", "https://evil.example")],
    "a list of both": lambda own: origins(f"{own}, https://evil.example"),
    "a list with spaces": lambda own: origins(f"{own} https://evil.example"),
    "folded": lambda own: origins(f"{own}\r\n .evil.example"),
    "folded after nothing": lambda _: origins("\r\n https://evil.example"),
    "a longer name": lambda own: origins(f"{own}.evil.example"),
    "a longer port": lambda own: origins(f"{own}0"),
    "a shorter port": lambda own: origins(own[:-1]),
    "no port": lambda own: origins(own.rpartition(":")[0]),
    "a slash": lambda own: origins(f"{own}/"),
    "a path": lambda own: origins(f"{own}/../https://evil.example"),
    "a question": lambda own: origins(f"{own}?"),
    "a user": lambda own: origins(own.replace("://", "://evil@")),
    "itself as a user": lambda own: origins(f"{own}@evil.example"),
    "another scheme": lambda own: origins(own.replace("http:", "https:")),
    "a scheme in capitals": lambda own: origins(own.replace("http:", "HTTP:")),
    "a dot behind": lambda own: origins(own.replace("1:", "1.:")),
    "another spelling of the address": lambda own: origins(own.replace("127.0.0.1", "127.1")),
    "an escape": lambda own: origins(own.replace(":", "%3a")),
    "a NUL behind": lambda own: origins(f"{own}%00"),
    "a letter that looks alike": lambda own: origins(own.replace("t", "\u00fe", 1)),
    "9,000 letters": lambda own: origins(own + "x" * 9000),
    "Referer in its place": lambda own: [("Referer", f"{own}/")],
    "an underscore in its name": lambda own: [("Origin_", own), ("X_Origin", own)],
    "X-Forwarded-Origin": lambda own: [("X-Forwarded-Origin", own), ("X-Origin", own)],
}


@pytest.mark.parametrize("name", ORIGINS)
def test_a_page_of_no_allowed_origin_gets_no_token(site: Site, name: str) -> None:
    with site.untouched():
        for route in PAGES:
            own = [h for h in site.proof(route) if h[0] != "Origin"]
            answer = site.send(route, [*own, *ORIGINS[name](site.stack.url)])
            assert (answer.status, answer.json["error"]) == (403, "access_denied"), route
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN", "oRiGiN"])
def test_the_name_of_a_header_may_be_in_any_case(site: Site, name: str) -> None:
    answer = site.send("POST /guest/token", [(name, site.stack.url)])
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == site.stack.url


AUTHORIZATIONS: dict[str, Callable[[str, str], Headers]] = {
    "twice": lambda alice, bob: bearer(alice) + bearer(bob),
    "twice the same": lambda alice, _: bearer(alice) * 2,
    "rubbish first": lambda alice, _: bearer("x") + bearer(alice),
    "rubbish second": lambda alice, _: bearer(alice) + bearer("x"),
    "in two spellings": lambda alice, bob: [*bearer(alice), ("aUTHORIZATION", f"Bearer {bob}")],
    "both in one": lambda alice, bob: bearer(f"{alice},{bob}"),
    "both with a space": lambda alice, bob: bearer(f"{alice} {bob}"),
    "folded": lambda alice, _: bearer(f"{alice[:20]}\r\n {alice[20:]}"),
    "Bearer twice": lambda alice, _: bearer(f"Bearer {alice}"),
    "Basic": lambda alice, _: [("Authorization", f"Basic {alice}")],
    "a parameter": lambda alice, _: [("Authorization", f'Bearer token="{alice}"')],
    "a NUL": lambda alice, _: bearer(f"{alice}%00"),
    "a dot too many": lambda alice, _: bearer(f"{alice}."),
    "a space within": lambda alice, _: bearer(alice.replace(".", ". ", 1)),
    "an escaped dot": lambda alice, _: bearer(alice.replace(".", "%2e")),
    "letters beyond ASCII": lambda alice, _: bearer(f"{alice}\u00e9"),
    "Proxy-Authorization": lambda alice, _: [("Proxy-Authorization", f"Bearer {alice}")],
    "X-Authorization": lambda alice, _: [("X-Authorization", f"Bearer {alice}")],
    "an underscore": lambda alice, _: [("Authorization_", f"Bearer {alice}")],
    "a cookie": lambda alice, _: [("Cookie", f"Authorization=Bearer {alice}; token={alice}")],
    "the claims of an event": lambda _, __: [
        ("X-Apigateway-Event", '{"requestContext":{"authorizer":{"jwt":{"claims":{"sub":"a"}}}}}'),
        ("X-Amzn-Oidc-Identity", "alice"),
        ("X-Amzn-Oidc-Data", "e30.e30."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", AUTHORIZATIONS)
@pytest.mark.parametrize("route", ["POST /token", "DELETE /token"])
def test_one_bearer_token_in_one_header_or_none(site: Site, route: str, name: str) -> None:
    alice, bob = (site.stack.oidc.id_token(user) for user in ("alice", "bob"))
    with site.untouched():
        answer = site.send(route, [*AUTHORIZATIONS[name](alice, bob), *site.origin])
        assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("place", ["access_token", "token", "authorization", "Authorization"])
def test_a_token_in_the_path_or_the_body_is_no_proof(site: Site, place: str) -> None:
    alice = site.stack.oidc.id_token("alice")
    body = b'{"%s": "Bearer %s"}' % (place.encode(), alice.encode())
    with site.untouched():
        for query in (f"?{place}={alice}", ""):
            answer = site.send("POST /token", [*JSON, *site.origin], body, query=query)
            assert answer.status == 401


def test_headers_beyond_the_limit_of_aws_are_431(site: Site) -> None:
    for header in ("Cookie", "X-Padding", "Origin"):
        with site.untouched():
            answer = site.send("POST /guest/token", [*site.origin, (header, "x" * 10_240)])
        assert answer.status == 431


PATHS = [
    *("/token/", "//token", "/./token", "/guest/../token", "/token/.", "/token;x", "/TOKEN"),
    *("/%74oken", "/token%00", "/token%2f", "/token%20", "/token%3fx", "/token%23", "\\token"),
    *("/token/4", "/token/02", "/token/2/", "/token/%32", "/backend/%74oken", "/backend//token"),
    *("/health/../backend/token", "/guest/token/../../backend/token", "/backend/token/x"),
    *("/$default/token", "/default/token", "/_/token", "/token/2/../../backend/assertion"),
    *("http://127.0.0.1/backend/token", "*"),
]


@pytest.mark.parametrize("path", PATHS)
def test_another_spelling_of_a_path_opens_nothing(site: Site, path: str) -> None:
    body = b'{"session_name": "victim"}'
    with site.untouched():
        for method in ("POST", "DELETE"):
            headers = [*JSON, *site.origin]
            answer = wire.send(site.stack.url, method, path, headers=headers, body=body)
            assert answer.status in {401, 403, 404}
            assert answer.json.keys() == {"message"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS", "TRACE", "get", "post", "X"])
def test_another_method_is_not_found(site: Site, method: str) -> None:
    headers = [*site.proof("POST /token"), ("X-HTTP-Method-Override", "POST")]
    with site.untouched():
        answer = site.send(f"{method} /token", [*headers, ("X-Method-Override", "POST")])
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_a_header_does_not_change_the_method(site: Site) -> None:
    headers: Headers = [("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE")]
    answer = site.send("POST /guest/token", [*site.origin, *headers])
    assert answer.status == 200
