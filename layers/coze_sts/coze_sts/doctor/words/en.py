"""What the doctor says in English."""

from __future__ import annotations

from coze_sts.doctor.language import Words
from coze_sts.doctor.words.en_coze import COZE
from coze_sts.doctor.words.en_site import SITE

ENGLISH = Words(
    statuses={"ok": "ok", "warn": "WARN", "fail": "FAIL", "skipped": "SKIPPED"},
    summary="{ok} fine, {warn} to look at, {fail} wrong, {skipped} not looked at.",
    outcomes=COZE | SITE,
)
