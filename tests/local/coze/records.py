"""What the stand-in remembers: apps, exchanges, tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

AppKind = Literal["ordinary", "channel"]


@dataclass(frozen=True, kw_only=True)
class App:
    """One public key of one OAuth app; an app with two keys is registered twice."""

    client_id: str
    kid: str
    public_key: RSAPublicKey
    kind: AppKind


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """The claims of an assertion that passed every check; times in UNIX seconds."""

    client_id: str
    kid: str
    kind: AppKind
    jti: str
    iat: int
    exp: int
    session_name: str | None
    session_context: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An exchange that was accepted."""

    client_id: str
    kid: str
    jti: str
    session_name: str | None
    session_context: Mapping[str, Any] | None
    duration_seconds: int
    scope: Mapping[str, Any] | None
    path: str


@dataclass(frozen=True, kw_only=True)
class TokenRecord:
    """An access token that was handed out; ``expires_at`` in UNIX seconds."""

    access_token: str = field(repr=False)
    client_id: str
    session_name: str | None
    expires_at: int
    duration_seconds: int
    scope: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """A ``POST /v3/chat``, refused or not; ``code`` is what it was answered, 0 for a chat.

    ``session_name`` is None where the token was not known, too.
    """

    access_token: str = field(repr=False)
    session_name: str | None
    conversation_id: str | None
    body: Mapping[str, Any]
    code: int
