"""Every outcome has words in every language, and the words name facts that are there."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from coze_sts.doctor.document import LANGUAGES, document, exit_status, lines
from coze_sts.doctor.outcomes import OUTCOMES
from coze_sts.doctor.report import SEVERITY, Finding, Language, found

from tests.doctor.conftest import See
from tests.doctor.illnesses import ILLNESSES

CHINESE = re.compile(r"[\u4e00-\u9fff]")
WELL = found("secret.read")
SKIPPED = found("table.skipped")
WARNED = found("clock.wrong", seconds=40)
FAILED = found("region.other", host="api.coze.cn", other="api.coze.com")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_outcome_and_no_other_has_words(lang: Language) -> None:
    assert LANGUAGES[lang].outcomes.keys() == OUTCOMES.keys()
    assert LANGUAGES[lang].statuses.keys() == set(SEVERITY)


@pytest.mark.parametrize("key", OUTCOMES)
def test_both_languages_tell_the_same_facts(key: str) -> None:
    english, chinese = (
        set().union(*map(placeholders, LANGUAGES[lang].outcomes[key])) for lang in LANGUAGES
    )
    assert english == chinese


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", OUTCOMES)
def test_what_is_not_fine_has_a_cure_and_what_is_fine_has_none(key: str, lang: Language) -> None:
    _, cure = LANGUAGES[lang].outcomes[key]
    assert bool(cure) is (OUTCOMES[key] != "ok")


@pytest.mark.parametrize("key", OUTCOMES)
def test_chinese_is_chinese_and_english_is_not(key: str) -> None:
    for text in filter(None, LANGUAGES["zh"].outcomes[key]):
        assert CHINESE.search(text)
    for text in LANGUAGES["en"].outcomes[key]:
        assert text.isascii()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", ILLNESSES)
def test_the_words_of_a_finding_are_filled_in(seen: See, key: str, lang: Language) -> None:
    report = document(seen(key).findings, lang=lang)
    shown = lines(report)
    assert "{" not in shown
    for finding in report["findings"]:
        assert finding["message"] in shown
        assert (finding["cure"] or "") in shown


@pytest.mark.parametrize(
    ("findings", "status", "ends"),
    [
        ([WELL], "ok", 0),
        ([WELL, SKIPPED], "skipped", 0),
        ([WELL, SKIPPED, WARNED], "warn", 0),
        ([WELL, SKIPPED, WARNED, FAILED], "fail", 1),
    ],
)
def test_the_report_is_as_bad_as_the_worst_and_only_a_failure_fails_it(
    findings: list[Finding], status: str, ends: int
) -> None:
    report = document(findings, lang="en")
    assert (report["status"], exit_status(report)) == (status, ends)


def test_what_was_not_looked_at_is_counted_for_itself() -> None:
    report = document([WELL, SKIPPED, SKIPPED, WARNED], lang="en")
    assert report["counts"] == {"ok": 1, "skipped": 2, "warn": 1, "fail": 0}
    assert lines(report).endswith("\n\n1 fine, 1 to look at, 0 wrong, 2 not looked at.")


def test_a_line_is_for_a_person() -> None:
    assert lines(document([WELL, FAILED], lang="en")).splitlines()[:3] == [
        "ok    secret: coze_oauth_config.json is there.",
        "FAIL  region: The key does not work at api.coze.cn, but it does at api.coze.com.",
        (
            "    → Set coze_api_base in coze_oauth_config.json to https://api.coze.com and store "
            "it again; COZE_API_BASE, where it is set, must say the same."
        ),
    ]
    chinese = lines(document([WELL, SKIPPED], lang="zh")).splitlines()
    assert chinese[0] == "正常\u3000  secret: coze_oauth_config.json 已就位。"
    assert chinese[1].startswith("未检查  table: ")


def test_an_outcome_without_words_cannot_be_found() -> None:
    with pytest.raises(KeyError):
        found("secret.lost")
