"""AWS Signature Version 4, as a backend of the site makes it."""

from __future__ import annotations

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.local.aws import REGION


def signed(
    method: str, url: str, body: bytes, *, access_key: str, secret_key: str
) -> dict[str, str]:
    """The headers that prove who sends this."""
    request = AWSRequest(method=method, url=url, data=body)
    SigV4Auth(Credentials(access_key, secret_key), "execute-api", REGION).add_auth(request)
    return dict(request.headers.items())
