"""One RSA-2048 signature with a key that is parsed already: what no exchange can do without."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SECRET = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["COZE_SECRET_ID"])
PEM = json.loads(SECRET["SecretString"])["private_key"].encode()
KEY: Any = load_pem_private_key(PEM, password=None)
TEXT = b"x" * 400
"""As long as an assertion's head and claims."""


def lambda_handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    KEY.sign(TEXT, PKCS1v15(), SHA256())
    return {"statusCode": 200, "body": "{}"}
