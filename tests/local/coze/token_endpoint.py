"""The token endpoint: an assertion in, an access token out."""

import json
import re
import secrets
from typing import Any

from werkzeug import Request

from tests.local.coze import assertion, grant
from tests.local.coze.errors import OAuthRefusal, invalid_client, invalid_request
from tests.local.coze.ledger import Ledger
from tests.local.coze.records import Assertion, Exchange, TokenRecord

PATH = re.compile(r"/api/permission/oauth2/((account|enterprise_id)/[^/]+/)?token")


def exchange(request: Request, body: bytes, *, ledger: Ledger, now: float) -> TokenRecord:
    """Exchange an assertion at ``now`` (UNIX seconds); raises OAuthRefusal."""
    if request.method != "POST":
        raise invalid_request("method")
    proof = assertion.verify(
        authorization=request.headers.get("Authorization", ""),
        host=request.host,
        apps=ledger.apps,
        now=now,
    )
    if not ledger.spend(proof.client_id, proof.jti):
        raise invalid_client("jwt has been used: jti is not unique")
    if proof.client_id in ledger.disabled:
        raise OAuthRefusal(
            "access_deny", f"app: {proof.client_id} is currently deactivated by the owner"
        )
    asked = grant.parse(_json(request, body), kind=proof.kind)
    return _issue(proof, asked, path=request.path, ledger=ledger, now=now)


def waste(request: Request, *, ledger: Ledger) -> None:
    """Spend the assertion of a request that fails: Coze may have seen it."""
    seen = assertion.peek_jti(request.headers.get("Authorization", ""))
    if seen:
        ledger.spend(*seen)


def _issue(
    proof: Assertion, asked: grant.GrantRequest, *, path: str, ledger: Ledger, now: float
) -> TokenRecord:
    token = TokenRecord(
        access_token=f"czs_{secrets.token_urlsafe(48)}",
        client_id=proof.client_id,
        session_name=proof.session_name,
        expires_at=int(now) + asked.duration_seconds,
        duration_seconds=asked.duration_seconds,
        scope=asked.scope,
    )
    ledger.record(
        Exchange(
            client_id=proof.client_id,
            kid=proof.kid,
            jti=proof.jti,
            session_name=proof.session_name,
            session_context=proof.session_context,
            duration_seconds=asked.duration_seconds,
            scope=asked.scope,
            path=path,
        ),
        token,
    )
    return token


def _json(request: Request, body: bytes) -> Any:
    if request.mimetype != "application/json":
        raise invalid_request("Content-Type")
    try:
        return json.loads(body)
    except ValueError:
        raise invalid_request("body") from None
