"""Events of API Gateway, as a function with a snapshot gets them."""

import json
from typing import Any

USER = "alice"
"""Who signed in; one of the site's servers may name them."""

BACKEND = {"userArn": "arn:aws:iam::123456789012:user/backend", "accountId": "123456789012"}


def event(route: str, **body: str) -> dict[str, Any]:
    """From a caller whom every kind of route lets in: the page's user, and one of IAM."""
    return {
        "version": "2.0",
        "routeKey": route,
        "headers": {},
        "requestContext": {
            "requestId": "req-1",
            "routeKey": route,
            "http": {"sourceIp": "203.0.113.7"},
            "authorizer": {"iam": BACKEND, "jwt": {"claims": {"sub": USER}, "scopes": None}},
        },
        "isBase64Encoded": False,
        "body": json.dumps(body),
    }


def backend(session: str) -> dict[str, Any]:
    """A server of the site asks for a token of this session."""
    return event("POST /backend/token", session_name=session)


GUEST = event("POST /guest/token")
ASSERTION = event("POST /backend/assertion", session_name="u-1")
ANSWERED = {"token": GUEST, "assertion": ASSERTION}
"""What a function grants."""
