"""`python -m coze_leak_scan DIR`: exit status 0 for clean, 1 for a leak, 2 for cannot scan."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from coze_leak_scan.messages import MESSAGES
from coze_leak_scan.report import Outcome, as_json, as_text, printable
from coze_leak_scan.scan import scan
from coze_leak_scan.walk import files


def run(paths: Sequence[str], *, everything: bool = False, language: str = "en") -> Outcome:
    """Scans the files and folders."""
    outcome, say = Outcome(), MESSAGES[language]
    for argument in paths:
        before = outcome.files, len(outcome.faults)
        for path in files(argument, everything=everything, on_error=lambda e: _note(outcome, e)):
            _scan_file(path, outcome=outcome, say=say)
        if before == (outcome.files, len(outcome.faults)):
            outcome.faults.append(say["empty"].format(path=argument))
    return outcome


def _scan_file(path: str, *, outcome: Outcome, say: dict[str, str]) -> None:
    try:
        # A pipe would keep the scan waiting, a device has no end.
        if os.path.exists(path) and not os.path.isfile(path):
            outcome.faults.append(say["no-file"].format(path=path))
            return
        with open(path, "rb") as file:
            outcome.findings += scan(file, path=path)
        outcome.files += 1
    except OSError as error:
        _note(outcome, error, path=path)


def _note(outcome: Outcome, error: OSError, *, path: str = "") -> None:
    outcome.faults.append(f"{path or error.filename}: {error.strerror}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exits with 2; what was typed may be a secret."""
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="coze_leak_scan", description="Finds Coze's secrets in a site.", allow_abbrev=False
    )
    parser.add_argument("paths", nargs="+", metavar="DIR", help="folders and files")
    parser.add_argument("--all", action="store_true", help="also .git, node_modules, pictures, …")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--lang", choices=sorted(MESSAGES), default="en", help="en")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    outcome = run(asked.paths, everything=asked.all, language=asked.lang)
    as_asked = as_json if asked.json else as_text
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console that lacks a character must not end the report.
        sys.stdout.reconfigure(errors="backslashreplace")
    print(as_asked(outcome, language=asked.lang))
    return outcome.exit_status


if __name__ == "__main__":
    sys.exit(main())
