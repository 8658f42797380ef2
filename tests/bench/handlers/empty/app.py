"""Nothing: what the runtime itself costs."""

from __future__ import annotations

from typing import Any


def lambda_handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    return {"statusCode": 200, "body": "{}"}
