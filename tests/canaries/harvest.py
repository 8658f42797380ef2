"""Secrets that come into being while the functions run, and the answers that own them."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import jwt

from tests.canaries.grep import Canary
from tests.local.coze import CozeStandIn

LOGGED_OF_DIGEST = 32
"""So many characters of a token's SHA-256 are in the log on purpose."""

_ASSERTION = re.compile(r"Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)")


@dataclass(kw_only=True)
class Harvest:
    """`canaries` to look for; `wrong` are answers with what is somebody else's."""

    canaries: list[Canary] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def assertions(self, asked: list[str]) -> None:
        """What Coze was shown: neither claims nor signature may be anywhere else."""
        for _, payload, signature in _ASSERTION.findall("\n".join(asked)):
            self._add("assertion", payload, signature)

    def ticket(self, ticket: str) -> str:
        """Keeps the ticket's parts and returns its guest's name."""
        _, _, payload, mac = ticket.split(".")
        guest_id = base64.urlsafe_b64decode(payload + "==")[:16]
        name = "guest_" + base64.b32encode(guest_id).decode().rstrip("=").lower()
        self._add("guest ticket", payload, mac, guest_id.hex())
        self.canaries.append(Canary(kind="guest's name", text=name[len("guest_") :], named=True))
        return name

    def without_own(
        self, body: dict[str, Any], session: str | None, *, coze: CozeStandIn
    ) -> dict[str, Any]:
        """An answer without what it is for, once that is seen to be its caller's own."""
        rest = dict(body)
        ticket, assertion = rest.pop("guest_ticket", None), rest.pop("assertion", None)
        token, again = rest.pop("access_token", None), rest.pop("token", None)
        if ticket:
            session = self.ticket(ticket)
        if token:
            self._add("token's digest", sha256(token.encode()).hexdigest()[LOGGED_OF_DIGEST:])
            self._check(again, token)
            if token in coze.tokens:  # or else somebody answered in Coze's place
                self._check(coze.tokens[token].session_name, session)
        if assertion:
            self._add("assertion", *assertion.split(".")[1:])
            claims = jwt.decode(assertion, options={"verify_signature": False})
            self._check(claims["session_name"], session)
        return rest

    def _check(self, found: object, expected: object) -> None:
        if expected is not None and found != expected:
            self.wrong.append(json.dumps([found, expected]))

    def _add(self, kind: str, *texts: str) -> None:
        self.canaries += [Canary(kind=kind, text=text, long=True) for text in texts]
