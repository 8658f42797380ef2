"""The secret: is it there, does it parse, is its key long enough, is its kid a fingerprint?"""

from __future__ import annotations

import re
from collections.abc import Callable

from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.signer import LocalSigner
from coze_sts.doctor.report import Finding, found
from coze_sts.errors import Misconfigured, StsError, UnusableKey

FILE = "coze_oauth_config.json"
FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""As in the sample of Coze's documents: base64url of 32 bytes."""


def check(
    fetch: Callable[[], str], *, parse: Callable[[str], CozeApp], reaches_kms: bool
) -> tuple[CozeApp | None, list[Finding]]:
    """The app, where something can be signed for it; `fetch` raises StsError where it has no text.

    `parse` raises Misconfigured where the text is of no use. A key in KMS is not tried here.
    """
    try:
        text = fetch()
    except StsError as error:
        reason = error.operator or error.description
        skipped = [found(f"{check}.skipped") for check in ("config", "key", "kid")]
        return None, [found("secret.unreadable", reason=reason), *skipped]
    app, findings = _parsed(text, parse=parse, reaches_kms=reaches_kms)
    return app, [found("secret.read"), *findings]


def _parsed(
    text: str, *, parse: Callable[[str], CozeApp], reaches_kms: bool
) -> tuple[CozeApp | None, list[Finding]]:
    try:
        app = parse(text)
    except Misconfigured as fault:
        return None, _faulty(_reason(fault))
    key = _key(app, reaches_kms=reaches_kms)
    read = found("config.read", client_id=app.client_id, api_base=app.api_base)
    return (app if key.status == "ok" else None), [read, key, _shape(app.kid)]


def _faulty(reason: str) -> list[Finding]:
    """A fault names its field first, and the key is read last of all."""
    if not reason.startswith("private_key "):
        return [found("config.faulty", reason=reason), found("key.skipped"), found("kid.skipped")]
    in_kms = reason.startswith("private_key must not be ")
    key = found("key.in_kms") if in_kms else found("key.faulty", reason=reason)
    return [found("config.skipped"), key, found("kid.skipped")]


def _key(app: CozeApp, *, reaches_kms: bool) -> Finding:
    if not isinstance(app.signer, LocalSigner):
        return found("key.kms" if reaches_kms else "key.elsewhere")
    try:
        return found("key.long", bits=app.signer.private_key.key_size)
    except UnusableKey as fault:
        return found("key.faulty", reason=_reason(fault))


def _reason(fault: Misconfigured) -> str:
    return str(fault).replace("COZE_SECRET_ID", FILE)


def _shape(kid: str) -> Finding:
    """Not quoted: whoever pasted the wrong thing may have pasted the key."""
    if FINGERPRINT.fullmatch(kid):
        return found("kid.shaped")
    return found("kid.odd", length=len(kid))
