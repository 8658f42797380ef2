"""What the tests in tests/gates look at is what SAM builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gates import package
from tests.gates.package import FUNCTIONS, LAYER, Package
from tests.sam.cli import ARCHITECTURE, Sam


@pytest.fixture(scope="module")
def held(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return package.build(tmp_path_factory.mktemp("held"), architecture=ARCHITECTURE)


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("resource", [LAYER, *FUNCTIONS])
def test_the_gates_look_at_what_sam_builds(sam: Sam, held: Package, resource: str) -> None:
    built = files(sam.folder / "build" / resource)
    assert built
    assert files(held.folder / resource) == built
