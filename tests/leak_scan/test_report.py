"""What is printed says where and what to do, in one line a secret, and gives nothing away."""

from __future__ import annotations

import io
import json

import pytest
from coze_leak_scan.messages import CHINESE, ENGLISH, MESSAGES, SNIPPET
from coze_leak_scan.report import Outcome, as_json, as_text, printable
from coze_leak_scan.scan import ALLOW_REACH, scan

from tests.leak_scan import made_up

COMMENT = "// coze-leak-scan: " + "allow"


def outcome(text: str, *, path: str = "site/a.js") -> Outcome:
    return Outcome(files=1, findings=list(scan(io.BytesIO(text.encode()), path=path)))


def test_a_line_names_place_and_rule_and_what_to_do() -> None:
    first = as_text(outcome(f"\nx='{made_up.token()}'"), language="en").splitlines()[0]
    shown = "site/a.js:2:4 coze-token pat_…(68 characters) — revoke this token"
    assert first.startswith(shown)


def test_a_leak_ends_with_the_cure_revocation_first_and_the_safe_snippet() -> None:
    report = as_text(outcome(made_up.token()), language="en")
    assert report.index("Revoke") < report.index("history") < report.index("createSession(")
    assert report.endswith(SNIPPET)


def test_a_clean_site_needs_no_cure() -> None:
    report = as_text(outcome("nothing"), language="en")
    assert report == "No leak. Files scanned: 1. Allowed by a comment: 0."


def test_the_report_is_chinese_when_asked() -> None:
    report = as_text(outcome(made_up.token()), language="zh")
    assert "吊销" in report.splitlines()[0]
    assert "pat_…（68 个字符）" in report
    assert report.endswith(SNIPPET)


def test_both_languages_say_the_same_things() -> None:
    assert CHINESE.keys() == ENGLISH.keys()


def test_tools_get_one_object() -> None:
    report = json.loads(as_json(outcome(f"x='{made_up.token()}'"), language="en"))
    (finding,) = report["findings"]
    assert (report["exit_status"], report["files"], report["faults"]) == (1, 1, [])
    assert (finding["path"], finding["line"], finding["column"]) == ("site/a.js", 1, 4)
    assert (finding["rule"], finding["secret"]) == ("coze-token", "pat_…(68 characters)")
    assert finding["allowed"] is False


def test_a_comment_on_the_line_allows_a_finding_and_is_reported() -> None:
    allowed = outcome(f"x='{made_up.token()}'; {COMMENT}\n")
    assert allowed.exit_status == 0
    report = as_text(allowed, language="en")
    assert "site/a.js:1:4 coze-token pat_…(68 characters) — allowed by a comment" in report
    assert report.endswith("Allowed by a comment: 1.")


@pytest.mark.parametrize(
    "text",
    [
        f"x='{made_up.token()}'\n{COMMENT}\n",
        f"{COMMENT}\nx='{made_up.token()}'\n",
        f"x='{made_up.token()}';{' ' * ALLOW_REACH}{COMMENT}\n",
        f"{COMMENT}{' ' * ALLOW_REACH}x='{made_up.token()}'\n",
    ],
)
def test_a_comment_allows_nothing_on_other_lines_or_far_off_in_a_bundle(text: str) -> None:
    assert outcome(text).exit_status == 1


@pytest.mark.parametrize("language", MESSAGES)
@pytest.mark.parametrize("report", [as_text, as_json])
def test_a_name_of_a_file_commands_nothing_and_gives_no_token_away(report, language) -> None:
    path = f"a\n::error::b\x1b[31m/{made_up.token()}.txt"
    found = outcome(made_up.token(seed=2), path=path)
    found.faults.append(f"{path}: gone")
    shown = report(found, language=language)
    assert "\n::error" not in shown
    assert "\x1b" not in shown
    assert made_up.letters(64)[:8] not in shown


def test_what_cannot_be_named_is_not_read_as_anything_else() -> None:
    assert printable("dist/index.html") == "dist/index.html"
    assert printable("网站/页面.html") == "网站/页面.html"
