"""What Lambda fetches and unpacks before a function's first cold start on a machine."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.gates.package import Package

MB = 1_000_000
MOST_ZIPPED = 13 * MB
MOST_UNPACKED = 45 * MB


def files(package: Package) -> list[Path]:
    return [path for path in package.layer.rglob("*") if path.is_file()]


def test_the_layer_unpacked_is_at_most_45_mb(shipped: Package) -> None:
    assert sum(path.stat().st_size for path in files(shipped)) <= MOST_UNPACKED


def test_the_layer_zipped_as_sam_zips_it_is_at_most_13_mb(shipped: Package, tmp_path: Path) -> None:
    zipped = tmp_path / "layer.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(shipped):
            archive.write(path, path.relative_to(shipped.layer))
    assert zipped.stat().st_size <= MOST_ZIPPED
