"""A bare get_item of a session's row with boto3."""

from __future__ import annotations

import os
from typing import Any

import boto3

DYNAMODB = boto3.client("dynamodb")
KEY = {"pk": {"S": os.environ["BENCH_PK"]}}
TABLE = os.environ["TOKEN_TABLE"]


def lambda_handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    DYNAMODB.get_item(TableName=TABLE, Key=KEY)["Item"]["ct"]["B"]
    return {"statusCode": 200, "body": "{}"}
