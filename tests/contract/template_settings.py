"""The variables that settings.py reads, and what of template.yaml sets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from coze_sts.errors import Misconfigured
from coze_sts.settings import read_settings

FOR_EMULATORS = frozenset({"TURNSTILE_API_BASE", "WECHAT_API_BASE"})
"""What no parameter sets: only who plays Cloudflare or WeChat needs it, as `make dev` does."""


class _Recorder(Mapping[str, str]):
    """An environment with nothing in it that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def variables() -> set[str]:
    """Every variable that Settings are read from."""
    environment = _Recorder()
    try:
        read_settings(environment)
    except Misconfigured:
        return environment.asked
    raise AssertionError("settings without the table's name were accepted")


def parameter_of(variable: str) -> str:
    """The name in PascalCase: COZE_API_BASE is CozeApiBase."""
    return "".join(word.capitalize() for word in variable.split("_"))
