"""What the doctor says in Chinese."""

from __future__ import annotations

from coze_sts.doctor.language import Words
from coze_sts.doctor.words.zh_coze import COZE
from coze_sts.doctor.words.zh_site import SITE

CHINESE = Words(
    statuses={"ok": "正常", "warn": "警告", "fail": "失败", "skipped": "未检查"},
    summary="正常 {ok} 项，警告 {warn} 项，失败 {fail} 项，未检查 {skipped} 项。",
    outcomes=COZE | SITE,
)
