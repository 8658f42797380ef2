"""`python -m coze_sts.audit --stack coze-sts alice`, with the operator's credentials of AWS."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.audit.visitor import MAX_LINES, Clients, digest_of, lines_about, query, table
from coze_sts.errors import StsError


def report(
    arguments: Sequence[str],
    *,
    connect: Callable[[], Clients],
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """What the command prints; raises StsError, and SystemExit where it is used wrongly."""
    asked = _parser().parse_args(arguments)
    clients = connect()
    digest = digest_of(asked.name, stack=asked.stack, clients=clients)
    if asked.query_only:
        return query(digest)
    lines = lines_about(
        digest, stack=asked.stack, days=asked.days, clients=clients, clock=clock, sleep=sleep
    )
    if not lines:
        return f"No line in the last {asked.days} days. Is the name right, to the letter?"
    cut = f"\nThese are the first {MAX_LINES} lines; there may be more: give fewer days."
    return table(lines) + cut * (len(lines) >= MAX_LINES)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coze_sts.audit", description="Everything about a name.")
    parser.add_argument("name", type=_text, help="as docs/audit.md says")
    parser.add_argument("--stack", type=_text, required=True)
    parser.add_argument("--days", type=_days, default=30, help="how far back; 30")
    parser.add_argument("--query-only", action="store_true", help="print the query, do not run it")
    return parser


def _text(value: str) -> str:
    if not value:
        raise argparse.ArgumentTypeError("must not be empty")
    return value


def _days(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 3650:
        raise argparse.ArgumentTypeError("must be from 1 to 3650")
    return int(value)


def _connect() -> Clients:
    return Clients(
        cloudformation=boto3.client("cloudformation"),
        logs=boto3.client("logs"),
        secretsmanager=boto3.client("secretsmanager"),
    )


def main() -> None:
    """The command. What goes wrong is said in a sentence that quotes no secret."""
    try:
        print(report(sys.argv[1:], connect=_connect))
    except StsError as error:
        sys.exit(error.operator or error.description)
    except (ClientError, BotoCoreError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
