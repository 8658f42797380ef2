"""The log lines of whoever has a name. The log has no names, only their keyed hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coze_sts.errors import Misconfigured, TemporarilyUnavailable
from coze_sts.keyring import parse_keyring
from coze_sts.stored_secret import fetch_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FIELDS = (
    *("@timestamp", "decision", "route", "status", "error", "source", "origin", "token"),
    *("coze_log_id", "correlation_id", "principal"),
)
FUNCTIONS = ("token", "assertion")
"""Those that know visitors."""

DAY_SECONDS = 24 * 3600
MAX_LINES = 10_000
"""The most that CloudWatch Logs finds for one query."""

Line = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Of AWS, with the operator's credentials."""

    cloudformation: Any
    logs: Any
    secretsmanager: SecretsManagerClient


def query(digest: str) -> str:
    """The query for CloudWatch Logs Insights; VisitorQuery of the stack is the same.

    A name may be that of the session, of who asked, or of the guest whose ticket they brought.
    """
    known_as = " or ".join(f'{field} = "{digest}"' for field in ("session", "caller", "guest"))
    return (
        f"fields {', '.join(FIELDS)}\n"
        f"| filter {known_as}\n"
        "| sort @timestamp asc\n"
        f"| limit {MAX_LINES}"
    )


def digest_of(name: str, *, stack: str, clients: Clients) -> str:
    """The hash that stands for a name in the log of a stack; raises StsError."""
    (found,) = clients.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    if "CacheKeySecretArn" not in outputs:
        raise Misconfigured(f"Stack {stack} is none of Coze STS: it lacks CacheKeySecretArn.")
    secret = fetch_secret(clients.secretsmanager, secret_id=outputs["CacheKeySecretArn"])
    return parse_keyring(secret.text).log_hash(name)


def lines_about(
    digest: str,
    *,
    stack: str,
    days: int,
    clients: Clients,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> list[Line]:
    """What the functions logged in the last `days`, oldest first; raises StsError."""
    now = int(clock())
    asked = clients.logs.start_query(
        logGroupNames=[f"/aws/lambda/{stack}/{function}" for function in FUNCTIONS],
        startTime=now - days * DAY_SECONDS,
        endTime=now,
        queryString=query(digest),
    )
    answer = clients.logs.get_query_results(queryId=asked["queryId"])
    while answer["status"] in ("Scheduled", "Running"):
        sleep(1)
        answer = clients.logs.get_query_results(queryId=asked["queryId"])
    if answer["status"] != "Complete":
        raise TemporarilyUnavailable(f"CloudWatch Logs ended the query: {answer['status']}.")
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def table(lines: Sequence[Line]) -> str:
    """The lines under one another, without the fields that none of them has."""
    fields = [field for field in FIELDS if any(line.get(field) for line in lines)]
    rows = [fields, *([line.get(field, "") for field in fields] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [zip(row, widths, strict=True) for row in rows]
    return "\n".join("  ".join(text.ljust(width) for text, width in row).rstrip() for row in padded)
