"""False sign-ins at the door of one issuer: unsigned, and signed with another's key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from coze_sts.canary import lies
from coze_sts.canary.finding import Finding, Outcome
from coze_sts.canary.front_door import FrontDoor
from coze_sts.canary.issuer_keys import signing_kid
from coze_sts.canary.refusal import Refusal, examine
from coze_sts.issuers import Issuer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

NO_ISSUER = Issuer(url="https://issuer.invalid", audiences=("canary",))
"""RFC 6761 section 6.4: a name that is nobody's."""

NO_KID = "canary"
DISCOVERY_SECONDS = 2
REFUSED = frozenset({401, 404})
"""403 is none: the function says it, and only to whom the authorizer believed."""


def false_sign_ins(
    door: FrontDoor,
    *,
    path: str,
    issuer: Issuer,
    claims: Mapping[str, object],
    key: RSAPrivateKey,
) -> Iterator[Finding]:
    """Shows both; the second names the issuer's own key, as whoever knows the issuer would."""
    seconds = min(DISCOVERY_SECONDS, door.seconds_left())
    kid = NO_KID if issuer is NO_ISSUER else signing_kid(door.http, issuer.url, seconds=seconds)
    unsigned = lies.unsigned(claims, kid=kid or NO_KID)
    yield _shown(door, path, f"unsigned sign-in at {path}", unsigned)
    check = f"sign-in with another's key at {path}"
    if kid is None:
        reason = "the issuer's keys could not be read"
        yield Finding(check=check, outcome=Outcome.UNKNOWN, reason=reason)
        return
    yield _shown(door, path, check, lies.signed_with(key, claims, kid=kid))


def _shown(door: FrontDoor, path: str, check: str, sign_in: str) -> Finding:
    ask = partial(door.as_page, path, {}, bearer=sign_in)
    return examine(Refusal(check=check, ask=ask, statuses=REFUSED))
