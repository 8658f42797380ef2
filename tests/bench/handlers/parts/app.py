"""The least that an exchange is made of: a read, a write, a signature, a POST, a write."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from typing import Any

import boto3
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SECRET = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["COZE_SECRET_ID"])
CONFIG = json.loads(SECRET["SecretString"])
KEY: Any = load_pem_private_key(CONFIG["private_key"].encode(), password=None)
URL = CONFIG["coze_api_base"] + "/api/permission/oauth2/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HTTP = requests.Session()
HTTP.trust_env = False
DYNAMODB = boto3.client("dynamodb")
ROW = {"pk": {"S": os.environ["BENCH_PK"]}}
TABLE = os.environ["TOKEN_TABLE"]
VALUES = {f":v{number}": {"S": "x" * 32} for number in range(8)}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    DYNAMODB.get_item(TableName=TABLE, Key=ROW)
    write()
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    answer = HTTP.post(
        URL,
        json={"grant_type": GRANT_TYPE, "duration_seconds": 3600},
        headers={"Authorization": f"Bearer {assertion(claims['sub'])}"},
        timeout=5,
    )
    write()
    return {"statusCode": 200, "body": answer.text}


def write() -> None:
    DYNAMODB.update_item(
        TableName=TABLE,
        Key=ROW,
        UpdateExpression="SET " + ", ".join(f"a{name[1:]} = {name}" for name in VALUES),
        ConditionExpression="attribute_not_exists(lease_id)",
        ExpressionAttributeValues=VALUES,
        ReturnValues="ALL_NEW",
    )


def assertion(session: str) -> str:
    now = int(time.time())
    claims = {
        "iss": CONFIG["client_id"],
        "aud": URL.split("/")[2],
        "iat": now,
        "exp": now + 600,
        "jti": secrets.token_hex(32),
        "session_name": session,
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": CONFIG["public_key_id"]}
    signed = b".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    return (signed + b"." + encoded(KEY.sign(signed, PKCS1v15(), SHA256()))).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
