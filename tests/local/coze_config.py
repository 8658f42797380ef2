"""Reads the file that COZE_CONFIG names."""

import sys
from pathlib import Path

from tests.local.functions import LAYER


class BadConfig(Exception):
    """The file cannot be used; the sentence names file and field, never a value."""


def read_coze_config(path: str) -> str | None:
    """The text of a usable coze_oauth_config.json; None for no path. Raises BadConfig."""
    if not path:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as fault:
        raise BadConfig(f"COZE_CONFIG: cannot read {path}: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise BadConfig(f"COZE_CONFIG: {path} is not a text file in UTF-8.") from None
    _check(text, path)
    return text


def _check(text: str, path: str) -> None:
    sys.path.insert(0, str(LAYER))
    from coze_sts.coze.app_key import parse_app  # noqa: PLC0415 - the path is known from here on
    from coze_sts.errors import Misconfigured  # noqa: PLC0415

    try:
        parse_app(text).signer.check()
    except Misconfigured as fault:
        sentence = str(fault.operator or fault).replace("COZE_SECRET_ID", path)
        raise BadConfig(f"COZE_CONFIG: {sentence}") from None
