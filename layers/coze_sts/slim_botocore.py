"""Run at the build: keeps of botocore's data what the functions' calls need.

botocore reads it as JSON at each cold start, and most of it is documentation, white space and the
endpoints of 400 other services. What is left says the same of the services that are named.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def slim(data: Path, *, services: set[str]) -> None:
    """Keeps `services` in the folder `data`, and writes what they are described by as plain JSON.

    Plain, since the package is compressed as a whole, and unpacked before a function starts.
    """
    for folder in (path for path in data.iterdir() if path.is_dir()):
        if folder.name not in services:
            shutil.rmtree(folder)
    endpoints = data / "endpoints.json"
    _write(endpoints, _endpoints_of(json.loads(endpoints.read_bytes()), services))
    for packed in data.rglob("*.json.gz"):
        _write(
            packed.with_suffix(""), _undocumented(json.loads(gzip.decompress(packed.read_bytes())))
        )
        packed.unlink()


def _endpoints_of(endpoints: dict[str, Any], services: set[str]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        known = partition["services"].items()
        partition["services"] = {name: value for name, value in known if name in services}
    return endpoints


def _undocumented(value: object) -> object:
    """Without each `documentation` that is text: one that is an object is a member's name."""
    if isinstance(value, dict):
        return {
            name: _undocumented(inner)
            for name, inner in value.items()
            if name != "documentation" or not isinstance(inner, str)
        }
    if isinstance(value, list):
        return [_undocumented(inner) for inner in value]
    return value


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    slim(Path(sys.argv[1]), services=set(sys.argv[2:]))
