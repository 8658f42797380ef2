"""`python -m coze_sts.doctor`: before a deployment with a file, after it with a stack's name.

Ends with 0 where nothing failed, with 1 where something did, with 2 where it could not be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.coze.app_key import parse_app
from coze_sts.doctor.document import document, exit_status, lines
from coze_sts.doctor.examination import TOTAL_SECONDS, Patient, examine
from coze_sts.doctor.question import FIELDS, read_question
from coze_sts.doctor.remote import Clients, ask_stack
from coze_sts.errors import Misconfigured, StsError
from coze_sts.settings import from_environment
from coze_sts.web import new_http_session

USED_WRONGLY = 2
MADE_BY_THE_STACK = ("COZE_SECRET_ID", "CACHE_KEY_SECRET_ID", "TOKEN_TABLE")
WAIT = Config(read_timeout=TOTAL_SECONDS + 20, retries={"total_max_attempts": 1})
"""The function takes its time, and asked twice it would look twice."""


def run(
    arguments: Sequence[str],
    *,
    connect: Callable[[], Clients],
    patient: Callable[[Path], Patient],
) -> tuple[str, int]:
    """What the command prints, and its exit status; raises StsError, and SystemExit."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    fields = {name: getattr(asked, name) or None for name in FIELDS}
    question = read_question(fields)
    given = {name: value for name, value in fields.items() if value is not None}
    if bool(asked.stack) == bool(asked.coze_config):
        parser.error("say COZE_CONFIG=path/to/coze_oauth_config.json or STACK=name, one of them")
    if asked.stack:
        report = ask_stack(asked.stack, given, clients=connect())
    else:
        findings = examine(patient(Path(asked.coze_config)), question)
        report = document(findings, lang=question.lang)
    shown = json.dumps(report, ensure_ascii=False, indent=2) if asked.json else lines(report)
    return shown, exit_status(report)


def _parser() -> argparse.ArgumentParser:
    """An option that is empty counts as not given: make passes variables that are not set."""
    parser = argparse.ArgumentParser(prog="coze_sts.doctor", description="What is well here?")
    parser.add_argument("--coze-config", help="the file, before a deployment")
    parser.add_argument("--stack", help="the stack's name, after it")
    parser.add_argument("--bot-id", help="the bot that pages talk to")
    parser.add_argument("--origin", help="of a page; else each of ALLOWED_ORIGINS")
    parser.add_argument("--endpoint", help="the stack's output ApiEndpoint")
    parser.add_argument("--lang", choices=["en", "zh"], default="en")
    parser.add_argument("--json", action="store_true", help="the report as the function has it")
    return parser


def local(path: Path) -> Patient:
    """This machine, with the operator's file and the functions' variables where they are set."""
    return Patient(
        settings=partial(from_environment, **dict.fromkeys(MADE_BY_THE_STACK, "not-deployed")),
        secret=lambda _settings: _text(path),
        parser=lambda chosen: partial(
            parse_app,
            api_base=chosen.coze_api_base,
            signing_key_arn=chosen.signing_key_arn,
            kms=_no_kms,
        ),
        describe_ttl=None,
        http=new_http_session(),
        clock=time.time,
        reaches_kms=False,
    )


def _no_kms() -> NoReturn:
    raise Misconfigured("KMS is not asked from this machine.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as fault:
        raise Misconfigured(f"{path}: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path} is not a text file in UTF-8.") from None


def _connect() -> Clients:
    functions: Any = boto3.client("lambda", config=WAIT)
    return Clients(cloudformation=boto3.client("cloudformation"), functions=functions)


def main() -> None:
    """The command. What goes wrong is said in a sentence that quotes no secret."""
    try:
        shown, status = run(sys.argv[1:], connect=_connect, patient=local)
    except StsError as error:
        said = error.operator or error.description
    except (ClientError, BotoCoreError) as error:
        said = str(error)
    else:
        print(shown)
        sys.exit(status)
    print(said, file=sys.stderr)
    sys.exit(USED_WRONGLY)


if __name__ == "__main__":
    main()
