"""Packages as they are deployed, each built once; and the functions in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.functions.conftest import (  # noqa: F401
    aws,
    config,
    coze,
    environment,
    load,
    signs,
    stored,
)
from tests.gates import interpreter, package
from tests.gates.package import ARCHITECTURES, Package
from tests.sam import tools
from tests.sam.cli import ARCHITECTURE

Build = Callable[[str], Package]


@pytest.fixture(scope="session")
def python() -> None:
    if not tools.has_python():
        pytest.skip("needs python3.13 (on the PATH)")


@pytest.fixture(scope="session")
def build(python: None, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The package for an architecture, which tests only read."""
    folder = tmp_path_factory.mktemp("packages")
    return cache(lambda name: package.build(folder / name, architecture=name))


@pytest.fixture(scope="session", params=ARCHITECTURES)
def shipped(request: pytest.FixtureRequest, build: Build) -> Package:
    """The package for each architecture."""
    return build(request.param)


@pytest.fixture(scope="session")
def own(build: Build) -> Package:
    """The package that this machine can run."""
    if lacking := interpreter.missing():
        pytest.skip(f"needs {'; '.join(lacking)}")
    return build(ARCHITECTURE)
