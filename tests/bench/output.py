"""Where results go, and how a run says how far it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.local.functions import ROOT

FOLDER = ROOT / ".bench"


def save(path: Path, found: dict[str, Any]) -> None:
    """Writes JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def tell(what: str) -> None:
    """On one line of the terminal, which the next word replaces."""
    print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)
