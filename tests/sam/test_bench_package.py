"""The benchmark measures what `sam build` makes, though it does without SAM."""

from __future__ import annotations

from pathlib import Path

from tests.bench.build import build_service
from tests.sam.cli import Sam


def files(folder: Path) -> dict[str, bytes | None]:
    """What is in each; bytecode may name a set's members in another order each time."""
    return {
        str(path.relative_to(folder)): None if path.suffix == ".pyc" else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_package_that_is_measured_is_the_one_that_sam_builds(sam: Sam, tmp_path: Path) -> None:
    package = build_service(tmp_path)
    built = sam.folder / "build"
    assert package.layer is not None
    assert files(package.layer.parent) == files(built / "StsLayer")
    assert files(package.task) == files(built / "TokenFunction")
