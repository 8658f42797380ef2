"""The same job with Coze's SDK and boto3, as its users write it: examples/auth_oauth_jwt.py of
coze-py, with a session_name, a secret and a table that keeps each session's token.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import boto3
from authlib.jose.errors import InsecureClaimError
from cozepy import JWTOAuthApp

SECRET = json.loads(
    boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["COZE_SECRET_ID"])[
        "SecretString"
    ]
)
DYNAMODB = boto3.client("dynamodb")
TABLE = os.environ["TOKEN_TABLE"]
APP = JWTOAuthApp(
    client_id=SECRET["client_id"],
    private_key=SECRET["private_key"],
    public_key_id=SECRET["public_key_id"],
    base_url=SECRET["coze_api_base"],
)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    session = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    item = DYNAMODB.get_item(TableName=TABLE, Key={"pk": {"S": session}}).get("Item")
    if item is None or int(item["expires_at"]["N"]) < time.time() + 60:
        item = renewed(session)
    body = {
        "access_token": item["access_token"]["S"],
        "expires_at": int(item["expires_at"]["N"]),
    }
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }


def granted(session: str) -> Any:
    try:
        return APP.get_access_token(ttl=3600, session_name=session)
    except InsecureClaimError:
        # Once in some thousand times the library takes a random jti for somebody's card number.
        return APP.get_access_token(ttl=3600, session_name=session)


def renewed(session: str) -> Any:
    token = granted(session)
    item = {
        "pk": {"S": session},
        "access_token": {"S": token.access_token},
        "expires_at": {"N": str(token.expires_in)},
    }
    DYNAMODB.put_item(TableName=TABLE, Item=item)
    return item
