"""Scenarios in which Coze, WeChat or Cloudflare fails, or repeats what it was sent."""

from __future__ import annotations

import json
import socket
from functools import partial
from typing import Any

from tests.canaries import planted
from tests.canaries.everybody import page_and_server, who_get_tokens
from tests.canaries.quotes import QUOTES, THIRD_PARTY_QUOTES
from tests.canaries.recorder import Quote
from tests.canaries.site import Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import Visit, guest, phone, server, user
from tests.http_servers import raw_server
from tests.local.ports import listen

ERRCODES = (-1, 40001, 40013, 40029, 40125, 40163, 40226, 41008, 45011, 47001)
PLAIN_FAULTS: dict[str, dict[str, Any]] = {
    "a short life": {"status": 200, "body": {"access_token": planted.TOKEN, "expires_in": 5}},
    "no number": {"status": 200, "body": {"access_token": planted.TOKEN, "expires_in": "soon"}},
    "no token": {"status": 200, "body": {"access_token": f"{planted.TOKEN} ", "expires_in": 60}},
    "a token in an error": {"status": 400, "body": {"error_message": f"czs_{planted.TOKEN}"}},
    "a key in an error": {"status": 400, "body": {"error_message": "-----BEGIN PRIVATE KEY-----"}},
    "an endless body": {"status": 200, "body": planted.TOKEN.encode() * 2000},
    "too many requests": {"status": 429, "body": {}, "headers": {"Retry-After": "7"}},
    "an internal error": {"status": 500, "body": {"error_code": "internal_error"}},
    "access denied": {"status": 403, "body": {"error_code": "access_deny"}},
}


def _each_as_somebody_new(site: Site, visits: list[Visit] | None = None) -> None:
    """Nobody is held up by what Coze told those before."""
    for visit in who_get_tokens(site) if visits is None else visits:
        site.account.wipe()
        site.ask(visit)


def coze_repeats(quote: Quote, site: Site) -> None:
    site.outsiders.coze.quote = quote
    _each_as_somebody_new(site, [*page_and_server(), user(planted.CJK_SUB)])


def coze_repeats_to_everybody(site: Site) -> None:
    site.outsiders.coze.quote = QUOTES["a message with the names"]
    _each_as_somebody_new(site)


def coze_fails(fault: dict[str, Any], site: Site) -> None:
    for visit in page_and_server():
        site.account.wipe()
        site.coze.fail_next(**fault, times=2)
        site.ask(visit)


def renewal_fails(site: Site) -> None:
    """The old token is served, and the failure only logged."""
    site.restart(TOKEN_DURATION_SECONDS="60")
    visits = who_get_tokens(site)
    for visit in visits:
        site.ask(visit)
    site.outsiders.coze.quote = QUOTES["a message with the names, to be tried again"]
    for visit in visits:
        site.ask(visit)


def unknown_key(site: Site) -> None:
    site.coze.forget_key(kid=site.keys.config("current")["public_key_id"])
    _each_as_somebody_new(site)
    site.coze.forget_key(kid=site.keys.config("previous")["public_key_id"])
    _each_as_somebody_new(site)
    site.ask(user(), seconds=2)


def app_disabled(site: Site) -> None:
    site.coze.disable_app(client_id=site.keys.config("current")["client_id"])
    _each_as_somebody_new(site)


def nobody_listens(site: Site) -> None:
    with listen().socket as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    site.restart(COZE_API_BASE=url, WECHAT_API_BASE=url, TURNSTILE_API_BASE=url)
    _each_as_somebody_new(site)
    site.restart(COZE_API_BASE=url)
    _each_as_somebody_new(site)


def broken_http(answer: bytes, site: Site) -> None:
    """What requests and urllib3 make of it they may tell, and an URL of WeChat's is a secret."""

    def behave(stream: socket.socket) -> None:
        stream.sendall(answer)
        stream.close()

    with raw_server(behave) as broken:
        here = broken.url
        site.restart(COZE_API_BASE=here, WECHAT_API_BASE=here, TURNSTILE_API_BASE=here)
        _each_as_somebody_new(site)


def _third_parties(site: Site) -> list[Visit]:
    return [guest(turnstile_token=site.human()), phone(site.code())]


def third_parties_repeat(quote: Quote, site: Site) -> None:
    site.outsiders.wechat.quote = site.outsiders.cloudflare.quote = quote
    for visit in _third_parties(site):
        for address in planted.ADDRESSES:
            site.ask(visit, address=address)


def errcodes(site: Site) -> None:
    for errcode in ERRCODES:
        site.wechat.fail_next(errcode)
        site.ask(phone(site.code()))


def cloudflare_fails(site: Site) -> None:
    for code in ("internal-error", "missing-input-secret", "bad-request", "another"):
        site.cloudflare.fail_next(status=200, body={"success": False, "error-codes": [code]})
        site.ask(guest(turnstile_token=site.human()))


def wrong_secrets(site: Site) -> None:
    """They are somebody's all the same."""
    app = {"appid": planted.APPID, "secret": f"{planted.WECHAT_SECRET}x"}
    widget = {"secret": f"{planted.TURNSTILE_SECRET}x"}
    site.account.store(wechat=json.dumps(app), turnstile=json.dumps(widget))
    for visit in _third_parties(site):
        site.ask(visit)


def lease_is_anothers(site: Site) -> None:
    """Whoever has no time to wait for it is told to come again."""
    site.outsiders.coze.quote = QUOTES["no JSON"]
    site.ask(server())
    for _ in range(2):
        site.ask(server(), seconds=1.5)


BROKEN_HTTP = {
    "a header that is none": b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 2\r\n\r\n{}",
    "a header that is folded": b"HTTP/1.1 200 OK\r\n folded\r\n: x\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{",
    "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
}

SCENARIOS: dict[str, Scenario] = {
    **{f"Coze repeats: {name}": partial(coze_repeats, quote) for name, quote in QUOTES.items()},
    **{f"Coze answers {name}": partial(coze_fails, f) for name, f in PLAIN_FAULTS.items()},
    **{
        f"a third party repeats: {name}": partial(third_parties_repeat, quote)
        for name, quote in THIRD_PARTY_QUOTES.items()
    },
    **{f"broken HTTP: {name}": partial(broken_http, a) for name, a in BROKEN_HTTP.items()},
    "Coze repeats everybody's names": coze_repeats_to_everybody,
    "a renewal fails": renewal_fails,
    "Coze does not know the key": unknown_key,
    "the app is disabled": app_disabled,
    "nobody listens": nobody_listens,
    "WeChat's error codes": errcodes,
    "Cloudflare's error codes": cloudflare_fails,
    "wrong secrets of third parties": wrong_secrets,
    "somebody else's lease": lease_is_anothers,
}
