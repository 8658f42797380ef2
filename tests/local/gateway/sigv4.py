"""IAM authorization: the Signature Version 4 of a request, verified as AWS does.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Signatures in the query string are not played: such a request is refused.
"""

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import strptime
from typing import Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import normalize_url_path
from werkzeug import Request

from tests.local.gateway.errors import FORBIDDEN, GatewayRefusal
from tests.local.gateway.event import ACCOUNT_ID

SERVICE = "execute-api"
MAX_SKEW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 "
    r"Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<signed>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class IamUser:
    """Somebody who may call the IAM routes."""

    name: str
    access_key: str
    secret_key: str = field(repr=False)

    @property
    def credentials(self) -> dict[str, str]:
        """The variables that make this user of a process."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def authorizer(self) -> dict[str, Any]:
        """The ``authorizer`` block of an event that this user caused."""
        user_id = f"AIDA{hashlib.sha256(self.name.encode()).hexdigest()[:17].upper()}"
        return {
            "iam": {
                "accessKey": self.access_key,
                "accountId": ACCOUNT_ID,
                "callerId": user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": f"arn:aws:iam::{ACCOUNT_ID}:user/{self.name}",
                "userId": user_id,
            }
        }


def verify(
    request: Request, *, body: bytes, users: Mapping[str, IamUser], region: str, now: float
) -> IamUser:
    """Who signed the request (``users`` by access key); ``now`` in UNIX seconds.

    Raises GatewayRefusal.
    """
    parts = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if parts is None:
        raise _forbidden("there is no Signature Version 4 in the Authorization header")
    user = users.get(parts["key"])
    if user is None:
        raise _forbidden("the access key is unknown")
    timestamp = request.headers.get("X-Amz-Date", "")
    _check_scope(parts, timestamp=timestamp, region=region, now=now)
    _check_claimed_hash(request, body)
    expected = _signature(request, body=body, user=user, parts=parts, timestamp=timestamp)
    if not hmac.compare_digest(expected, parts["signature"]):
        raise _forbidden("the signature does not match")
    return user


def _check_scope(parts: re.Match[str], *, timestamp: str, region: str, now: float) -> None:
    if parts["region"] != region or parts["service"] != SERVICE:
        raise _forbidden(f"the credential scope is not {region}/{SERVICE}")
    try:
        signed_at = timegm(strptime(timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise _forbidden("X-Amz-Date is missing or malformed") from None
    if parts["date"] != timestamp[:8] or abs(now - signed_at) > MAX_SKEW_SECONDS:
        raise _forbidden("the request was signed at another time")
    if not {"host", "x-amz-date"} <= set(parts["signed"].split(";")):
        raise _forbidden("host and x-amz-date must be signed")


def _check_claimed_hash(request: Request, body: bytes) -> None:
    claimed = request.headers.get("X-Amz-Content-Sha256")
    if claimed and not hmac.compare_digest(claimed, hashlib.sha256(body).hexdigest()):
        raise _forbidden("X-Amz-Content-Sha256 is not the hash of the body")


def _signature(
    request: Request, *, body: bytes, user: IamUser, parts: re.Match[str], timestamp: str
) -> str:
    """Sign the request again, over the headers that the caller says to have signed."""
    signer = SigV4Auth(
        Credentials(user.access_key, user.secret_key), parts["service"], parts["region"]
    )
    again = AWSRequest(
        method=request.method, url=request.base_url, params=list(request.args.items(multi=True))
    )
    again.context["timestamp"] = timestamp
    signed = sorted(parts["signed"].split(";"))
    canonical = "\n".join(
        [
            request.method,
            quote(normalize_url_path(_raw_path(request)), safe="/~"),
            signer.canonical_query_string(again),
            *[f"{name}:{_header(request, name)}" for name in signed],
            "",
            ";".join(signed),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    return signer.signature(signer.string_to_sign(again, canonical), again)


def _header(request: Request, name: str) -> str:
    values = request.headers.getlist(name)
    if not values:
        raise _forbidden(f"the header {name} is signed but not sent")
    return ",".join(" ".join(value.split()) for value in values)


def _raw_path(request: Request) -> str:
    path: str = request.environ.get("RAW_URI", request.path).partition("?")[0]
    return path


def _forbidden(why: str) -> GatewayRefusal:
    return GatewayRefusal(FORBIDDEN, why=why)
