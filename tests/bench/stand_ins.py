"""``python -m tests.bench.stand_ins``: AWS and Coze in a process of their own, on one port.

The answers are written before they are asked for; what they say is real. What was sent is kept, and
checked when nobody measures: GET /bench/verdict.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
import zlib
from collections import Counter
from typing import Any

from tests.bench.stage import LIFETIME_SECONDS, Stage, new_token, set_up
from tests.bench.wire import Request, answer, serve
from tests.local.coze import assertion
from tests.local.coze.errors import OAuthRefusal
from tests.local.coze.ledger import Ledger
from tests.local.ports import listen

TOKEN_PATH = "/api/permission/oauth2/token"
VERDICT_PATH = "/bench/verdict"
AMZ_JSON = "application/x-amz-json-1.1"


class StandIns:
    """Answers as Secrets Manager, DynamoDB and Coze do."""

    def __init__(self, stage: Stage, *, host: str) -> None:
        self._stage = stage
        self._host = host
        self._assertions: list[str] = []
        self._calls: Counter[str] = Counter()
        config = stage.coze_config
        self._ledger = Ledger()
        self._ledger.register(
            client_id=config["client_id"],
            kid=config["public_key_id"],
            public_key_pem=stage.public_key_pem,
            kind="ordinary",
        )

    def handle(self, request: Request) -> bytes:
        """The answer to one request."""
        if request.path == VERDICT_PATH:
            return answer(json.dumps(self._verdict()).encode())
        if request.path == TOKEN_PATH:
            self._calls["exchange"] += 1
            self._assertions.append(request.headers.get("authorization", ""))
            return _granted()
        operation = request.headers["x-amz-target"].partition(".")[2]
        self._calls[operation] += 1
        return _of_aws(getattr(self, f"_{operation}")(json.loads(request.body)))

    def _GetSecretValue(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = asked["SecretId"]
        return {
            "ARN": f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-a1B2c3",
            "Name": name,
            "VersionId": "00000000-0000-4000-8000-000000000001",
            "SecretString": self._stage.secrets[name],
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": 1795000000.0,
        }

    def _BatchGetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        responses = {
            table: [item for key in keys["Keys"] if (item := self._item(key)) is not None]
            for table, keys in asked["RequestItems"].items()
        }
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["Key"])
        return {} if item is None else {"Item": item}

    def _UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """ALL_NEW, as far as this service reads it: a counter, or a row whose lease was taken."""
        pk, values = asked["Key"]["pk"], asked["ExpressionAttributeValues"]
        if pk["S"].startswith("n1#"):
            day = f"d{int(time.time()) // 86400}"
            return {"Attributes": {"pk": pk, day: {"N": "1"}}}
        row = {"pk": pk, "gen": {"N": "1"}}
        if ":until" in values:
            row |= {"lease_id": values[":me"], "lease_until": values[":until"]}
        return {"Attributes": row}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {}

    def _item(self, key: dict[str, Any]) -> Any:
        return self._stage.items.get(key["pk"]["S"])

    def _verdict(self) -> dict[str, Any]:
        """What was asked since the last time, and what was wrong with the assertions."""
        faults, seen = [], set()
        for sent in self._assertions:
            try:
                proof = assertion.verify(
                    authorization=sent,
                    host=self._host,
                    apps=self._ledger.apps,
                    now=time.time(),
                )
            except OAuthRefusal as refusal:
                faults.append(str(refusal))
            else:
                seen.add(proof.jti)
        if len(seen) + len(faults) < len(self._assertions):
            faults.append("a jti was used twice")
        calls = dict(self._calls)
        self._assertions.clear()
        self._calls.clear()
        return {"calls": calls, "faults": faults}


def _granted() -> bytes:
    body = {
        "access_token": new_token(),
        "expires_in": int(time.time()) + LIFETIME_SECONDS,
        "token_type": "Bearer",
    }
    headers = {"Content-Type": "application/json", "X-Tt-Logid": secrets.token_hex(17)}
    return answer(json.dumps(body).encode(), headers=headers)


def _of_aws(body: dict[str, Any]) -> bytes:
    raw = json.dumps(body, separators=(",", ":")).encode()
    headers = {
        "Content-Type": AMZ_JSON,
        "x-amzn-RequestId": secrets.token_hex(16),
        "x-amz-crc32": str(zlib.crc32(raw)),
    }
    return answer(raw, headers=headers)


def main() -> None:
    """Prints the variables of the subjects as one line of JSON, and serves until stdin ends."""
    listening = listen()
    stage = set_up(listening.url)
    stand_ins = StandIns(stage, host=f"{listening.host}:{listening.port}")
    serve(listening.socket, stand_ins.handle)
    print(json.dumps(dict(stage.variables)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
