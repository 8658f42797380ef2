"""What Coze knows: its apps, the tokens it gave out, the assertions it has seen."""

import threading

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.local.coze.records import App, AppKind, Exchange, TokenRecord


class Ledger:
    """State that many requests share."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}  # by kid
        self.disabled: set[str] = set()  # client IDs
        self.refused: set[str] = set()  # access tokens that end before their time
        self.tokens: dict[str, TokenRecord] = {}
        self.exchanges: list[Exchange] = []
        self._spent: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def register(self, *, client_id: str, kid: str, public_key_pem: str, kind: AppKind) -> None:
        """Make a public key of an app known."""
        key = load_pem_public_key(public_key_pem.encode())
        if not isinstance(key, RSAPublicKey):
            raise TypeError("Coze takes RSA keys only")
        self.apps[kid] = App(client_id=client_id, kid=kid, public_key=key, kind=kind)

    def spend(self, client_id: str, jti: str) -> bool:
        """Whether this app used this ``jti`` for the first time."""
        with self._lock:
            fresh = (client_id, jti) not in self._spent
            self._spent.add((client_id, jti))
            return fresh

    def record(self, exchange: Exchange, token: TokenRecord) -> None:
        """Keep an exchange that was accepted."""
        with self._lock:
            self.exchanges.append(exchange)
            self.tokens[token.access_token] = token

    def live_token(self, access_token: str, *, now: float) -> TokenRecord | None:
        """The token, unless it is unknown, refused, expired at ``now`` (UNIX) or of no app."""
        token = self.tokens.get(access_token)
        if token is None or access_token in self.refused:
            return None
        if token.expires_at <= now or token.client_id in self.disabled:
            return None
        return token
