"""What is tried. Each check returns what it found, and raises Wrong where that must not be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

TIMEOUT_SECONDS = 25
FOREIGN = "https://elsewhere.example"
FORGED = {"guest_ticket": "g1.1.forged.forged"}
REFUSED = (401, 403, 404)


class Wrong(Exception):
    """An answer that must not be; never quotes a token."""


class NotTried(Exception):
    """A check that needs something that was not given; says what."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The endpoint, one of its allowed origins, and how to reach it."""

    endpoint: str
    origin: str | None
    http: requests.Session

    def ask(
        self,
        method: str,
        path: str,
        *,
        origin: str | None = None,
        body: Mapping[str, str] | None = None,
        **headers: str,
    ) -> requests.Response:
        """Makes one request; raises requests.RequestException where nothing answers."""
        if origin:
            headers["Origin"] = origin
        return self.http.request(
            method,
            self.endpoint + path,
            json=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )


def health(site: Site) -> str:
    """GET /health answers."""
    _expect(site.ask("GET", "/health"), 200)
    return "200"


def unknown_route(site: Site) -> str:
    """A path that is no route opens nothing."""
    return _refused(site.ask("GET", "/tokens"), 403, 404)


def guest(site: Site) -> str:
    """A page gets a guest's token, and the ticket brings the guest back."""
    origin = _origin(site)
    answer = site.ask("POST", "/guest/token", origin=origin, body={})
    if answer.status_code == 403:
        raise _why_no_guest(answer)
    first = _token(answer)
    again = _token(site.ask("POST", "/guest/token", origin=origin, body=_ticket(first)))
    if again["access_token"] != first["access_token"]:
        return "200, with another token the second time"
    return "200, and the same token again by the ticket"


def foreign_page(site: Site) -> str:
    """A page of another site gets no token."""
    return _refused(site.ask("POST", "/guest/token", origin=FOREIGN, body={}), 403)


def forged_ticket(site: Site) -> str:
    """A ticket that the service did not write is refused, and makes nobody a new guest."""
    answer = site.ask("POST", "/guest/token", origin=_origin(site), body=FORGED)
    return _refused(answer, 401, 403)


def no_sign_in(site: Site) -> str:
    """Without a sign-in there is no user's token."""
    return _refused(site.ask("POST", "/token", origin=site.origin), *REFUSED)


def unsigned_sign_in(site: Site) -> str:
    """A sign-in that nobody signed is none."""
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzbW9rZSJ9."
    bearer = {"Authorization": f"Bearer {unsigned}"}
    return _refused(site.ask("POST", "/token", origin=site.origin, **bearer), *REFUSED)


def unsigned_backend(site: Site) -> str:
    """Who does not sign with AWS credentials names no session."""
    for path in ("/backend/token", "/backend/assertion"):
        _refused(site.ask("POST", path, body={"session_name": "smoke"}), 401, 403)
    return "refused"


def preflight(site: Site) -> str:
    """A browser lets pages of the allowed origin call, and of no other."""
    origin = _origin(site)
    allowed, foreign = (_allowed_origin(site, each) for each in (origin, FOREIGN))
    if allowed is None and foreign is None and site.endpoint.startswith("http://"):
        raise NotTried("nothing answers preflights here, as behind sam local start-api")
    if (allowed, foreign) != (origin, None):
        raise Wrong(f"allowed for {allowed} and {foreign}: see AllowedOrigins")
    return "allowed for the origin, and for no other"


CHECKS: tuple[Callable[[Site], str], ...] = (
    health,
    unknown_route,
    guest,
    foreign_page,
    forged_ticket,
    no_sign_in,
    unsigned_sign_in,
    unsigned_backend,
    preflight,
)


def _origin(site: Site) -> str:
    if site.origin is None:
        raise NotTried("needs ORIGIN=, one of AllowedOrigins")
    return site.origin


def _why_no_guest(answer: requests.Response) -> Exception:
    """Of a 403: the page is not of an allowed origin, or guests are not for us to try."""
    reason = _field(answer, "error_description")
    if "AllowedOrigins" in reason:
        return Wrong(reason)
    return NotTried(f"no new guest from here: {reason}")


def _allowed_origin(site: Site, origin: str) -> str | None:
    asked = {"Access-Control-Request-Method": "POST"}
    answer = site.ask("OPTIONS", "/guest/token", origin=origin, **asked)
    return answer.headers.get("access-control-allow-origin")


def _expect(answer: requests.Response, *statuses: int) -> None:
    if answer.status_code not in statuses:
        raise Wrong(f"{answer.status_code} {_field(answer, 'error')}".strip())


def _refused(answer: requests.Response, *statuses: int) -> str:
    if "access_token" in answer.text:
        raise Wrong("A TOKEN WAS HANDED OUT: run StopCommand, then look")
    _expect(answer, *statuses)
    return f"refused with {answer.status_code}"


def _token(answer: requests.Response) -> dict[str, Any]:
    _expect(answer, 200)
    if answer.headers.get("cache-control") != "no-store":
        raise Wrong("a token may be cached on its way: Cache-Control is not no-store")
    body: dict[str, Any] = answer.json()
    if not body.get("access_token") or not 0 < body.get("expires_in", 0) < 86_400:
        raise Wrong("the answer has no token that lives")
    return body


def _ticket(answer: Mapping[str, Any]) -> dict[str, str]:
    return {"guest_ticket": str(answer["guest_ticket"])}


def _field(answer: requests.Response, name: str) -> str:
    """One field of an error: what else is in an answer is not for a log."""
    try:
        return str(answer.json().get(name, ""))
    except (ValueError, AttributeError):
        return ""
