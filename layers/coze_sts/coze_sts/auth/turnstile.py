"""Cloudflare Turnstile: whether a new guest solved the challenge on one of the site's pages.

The facts are those of https://developers.cloudflare.com/turnstile/get-started/server-side-validation/.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coze_sts.auth.third_party import ask, text_fields
from coze_sts.errors import AccessDenied, Misconfigured, StsError, TemporarilyUnavailable

if TYPE_CHECKING:
    from urllib3 import PoolManager

REFUSAL = "turnstile_token is missing, wrong, used up or too old: have the widget make a new one."

_TOKEN = re.compile(r"[!-~]{1,2048}")
_HOST = re.compile(r"localhost|([a-z0-9-]{1,63}\.)+[a-z]{2,24}", re.IGNORECASE)
"""A name, and no address nor anything else that was sent."""

_CODE = re.compile(r"[a-z-]{1,40}")

_MEANINGS: dict[str, type[StsError]] = {
    "missing-input-secret": Misconfigured,
    "invalid-input-secret": Misconfigured,
    "missing-input-response": AccessDenied,
    "invalid-input-response": AccessDenied,
    "timeout-or-duplicate": AccessDenied,
    "bad-request": AccessDenied,  # of all that is sent, only the token is somebody else's
    "internal-error": TemporarilyUnavailable,
}


@dataclass(frozen=True, kw_only=True)
class TurnstileSecret:
    """The secret key of the site's widget."""

    secret: str = field(repr=False)


def parse_turnstile_secret(text: str) -> TurnstileSecret:
    """Reads `{"secret": "…"}`; raises Misconfigured, never quoting a value."""
    (secret,) = text_fields(text, setting="TURNSTILE_SECRET_ID", names=("secret",))
    return TurnstileSecret(secret=secret)


def hostnames_of(origins: Iterable[str]) -> frozenset[str]:
    """The hosts of web origins, as Cloudflare names them: without scheme and port."""
    return frozenset(urlsplit(origin).hostname or "" for origin in origins) - {""}


def verify_human(
    http: PoolManager,
    *,
    secret: TurnstileSecret,
    api_base: str,
    token: str | None,
    remote_ip: str | None,
    hostnames: Collection[str],
    seconds: float,
) -> None:
    """Returns where Cloudflare vouches for the visitor who got `token`, on one of `hostnames`.

    No hostnames: any will do. Raises AccessDenied where it does not vouch, Misconfigured where
    it does not know the secret, TemporarilyUnavailable where it fails.
    """
    if token is None or not _TOKEN.fullmatch(token):
        raise AccessDenied(REFUSAL)
    # No idempotency_key: whoever knew how it is made could use a token many times.
    form = {"secret": secret.secret, "response": token}
    if remote_ip:
        form["remoteip"] = remote_ip
    url = f"{api_base}/turnstile/v0/siteverify"
    status, body = ask(http, method="POST", url=url, form=form, seconds=seconds)
    if status != 200 or body.get("success") is not True:
        raise _failure(body, said=f"{urlsplit(url).netloc} answered {status}")
    _check_hostname(body.get("hostname"), among=hostnames)


def _failure(body: dict[str, Any], *, said: str) -> StsError:
    """The gravest of the error codes; one that nobody documented means nothing."""
    listed = body.get("error-codes")
    texts = [code for code in listed if isinstance(code, str)] if isinstance(listed, list) else []
    meanings = {_MEANINGS.get(text) for text in texts}
    codes = ", ".join(text for text in texts[:5] if _CODE.fullmatch(text)) or "no code"
    if Misconfigured in meanings:
        return Misconfigured(
            f"{said} ({codes}): TURNSTILE_SECRET_ID must hold the secret key of the very widget "
            "whose site key is in the page; test keys go with test keys only."
        )
    if AccessDenied in meanings:
        return AccessDenied(REFUSAL, operator=f"{said} ({codes}).")
    return TemporarilyUnavailable(f"{said} ({codes}).")


def _check_hostname(hostname: object, *, among: Collection[str]) -> None:
    """Cloudflare checks hosts against the widget's own list, which may hold other sites too."""
    if not among or (isinstance(hostname, str) and hostname.lower() in among):
        return
    named = hostname if isinstance(hostname, str) and _HOST.fullmatch(hostname) else "no host"
    raise AccessDenied(
        REFUSAL,
        operator=f"The challenge was solved on {named}, which is no host of ALLOWED_ORIGINS.",
    )
