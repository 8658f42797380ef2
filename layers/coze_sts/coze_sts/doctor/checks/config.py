"""The secret: is it there, does it parse, is its key long enough, is its kid a fingerprint?"""

from __future__ import annotations

import re
from collections.abc import Callable

from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.doctor.report import Finding, found
from coze_sts.errors import Misconfigured, StsError

FILE = "coze_oauth_config.json"
FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""As in the sample of Coze's documents: base64url of 32 bytes."""


def check(
    fetch: Callable[[], str], *, api_base: str | None
) -> tuple[CozeApp | None, list[Finding]]:
    """The app, where there is a usable one; `fetch` raises StsError where there is no text."""
    try:
        text = fetch()
    except StsError as error:
        reason = error.operator or error.description
        skipped = [found(f"{check}.skipped") for check in ("config", "key", "kid")]
        return None, [found("secret.unreadable", reason=reason), *skipped]
    app, findings = _parsed(text, api_base)
    return app, [found("secret.read"), *findings]


def _parsed(text: str, api_base: str | None) -> tuple[CozeApp | None, list[Finding]]:
    try:
        app = parse_app(text, api_base=api_base)
    except Misconfigured as fault:
        return None, _faulty(str(fault).replace("COZE_SECRET_ID", FILE))
    return app, [
        found("config.read", client_id=app.client_id, api_base=app.api_base),
        found("key.long", bits=app.private_key.key_size),
        _shape(app.kid),
    ]


def _faulty(reason: str) -> list[Finding]:
    """A fault names its field first, and the key is read last of all."""
    if reason.startswith("private_key "):
        return [found("config.skipped"), found("key.faulty", reason=reason), found("kid.skipped")]
    return [found("config.faulty", reason=reason), found("key.skipped"), found("kid.skipped")]


def _shape(kid: str) -> Finding:
    """Not quoted: whoever pasted the wrong thing may have pasted the key."""
    if FINGERPRINT.fullmatch(kid):
        return found("kid.shaped")
    return found("kid.odd", length=len(kid))
