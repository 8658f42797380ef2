"""What the subjects find: an OAuth app, two secrets, a table with rows of members, variables."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coze_sts.access_token import AccessToken, from_grant
from coze_sts.auth.session import Caller, cache_key, session_for
from coze_sts.cache.row import Sealed, day_of
from coze_sts.cache.seal import seal
from coze_sts.coze.app_key import parse_app
from coze_sts.keyring import Purpose, parse_keyring
from coze_sts.settings import read_settings

from tests.local import template
from tests.local.aws import client_environment
from tests.local.coze import demo_config

ORIGIN = "https://www.example.com"
OFFICIAL_TABLE = "Official"
MEMBERS = 200
"""Sessions whose row is in the table."""

LIFETIME_SECONDS = 3600
NAMES = {"CozeSecret": "Coze", "CacheKeySecret": "CacheKey", "TokenTable": "Tokens"}
SYMBOL = re.compile(r"\$\{(\w+)(\.\w+)?\}")


def member(number: int) -> str:
    """A session that has a token."""
    return f"member-{number}"


def newcomer(number: int) -> str:
    """A session that has none."""
    return f"newcomer-{number}"


def new_token() -> str:
    """As long as Coze's."""
    return f"czs_{secrets.token_urlsafe(48)}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`items` are what the table holds by their key, as DynamoDB writes them in JSON."""

    coze_config: Mapping[str, str] = field(repr=False)
    public_key_pem: str
    secrets: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str]
    items: Mapping[str, Any] = field(repr=False)


def set_up(url: str) -> Stage:
    """Everything, for subjects that reach AWS and Coze under this URL."""
    config, public_key_pem = demo_config(url)
    cache_keys = json.dumps({"1": secrets.token_urlsafe(48)})
    variables = {**_of_the_template(), **client_environment(url)}
    rows = {**_rows(json.dumps(config), cache_keys, variables), **_official_rows()}
    first = next(pk for pk in rows if pk.startswith("t1#"))
    return Stage(
        coze_config=config,
        public_key_pem=public_key_pem,
        secrets={"Coze": json.dumps(config), "CacheKey": cache_keys},
        variables={**variables, "BENCH_PK": first},
        items=rows,
    )


def sealed_item(pk: str, sealed: Sealed, *, now: int) -> dict[str, Any]:
    """A row after its first token."""
    return {
        "pk": {"S": pk},
        "gen": {"N": "1"},
        "ct": {"B": base64.b64encode(sealed.ct).decode()},
        "ek": {"S": sealed.ek},
        "kid": {"S": sealed.kid},
        "issued_at": {"N": str(sealed.issued_at)},
        "expires_at": {"N": str(sealed.expires_at)},
        "refresh_at": {"N": str(sealed.refresh_at)},
        "forced": {"BOOL": sealed.forced},
        "purge_at": {"N": str(sealed.expires_at + 24 * 3600)},
        day_of(now): {"N": "1"},
    }


def _of_the_template() -> dict[str, str]:
    """TokenFunction's variables for a site whose visitors sign in."""
    parameters = {"OidcIssuer": "https://login.example.com", "OidcAudience": "web-client"}
    resources = template.expand({**parameters, "AllowedOrigins": ORIGIN})
    declared = resources["TokenFunction"]["Properties"]["Environment"]["Variables"]
    return {name: SYMBOL.sub(_name, str(value)) for name, value in declared.items()}


def _name(symbol: re.Match[str]) -> str:
    return NAMES.get(symbol[1], symbol[1])


def _rows(config: str, cache_keys: str, variables: Mapping[str, str]) -> dict[str, Any]:
    settings, keyring, app = read_settings(variables), parse_keyring(cache_keys), parse_app(config)
    now, rows = int(time.time()), {}
    for number in range(MEMBERS):
        caller = Caller(kind="user", name=member(number), issuer=settings.issuers[0].url)
        pk = cache_key(
            session_for(caller, settings=settings, keyring=keyring),
            index_key=keyring.derive(Purpose.INDEX),
            app=app.identity,
            settings=settings,
        )
        sealed = seal(_token(app.kid, now), pk=pk, keyring=keyring)
        rows[pk] = sealed_item(pk, sealed, now=now)
    return rows


def _token(kid: str, now: int) -> AccessToken:
    return from_grant(
        new_token(),
        kid=kid,
        sent_at=now,
        granted_until=now + LIFETIME_SECONDS,
        duration_seconds=LIFETIME_SECONDS,
    )


def _official_rows() -> dict[str, Any]:
    expires_at = str(int(time.time()) + LIFETIME_SECONDS)
    return {
        member(number): {
            "pk": {"S": member(number)},
            "access_token": {"S": new_token()},
            "expires_at": {"N": expires_at},
        }
        for number in range(MEMBERS)
    }
