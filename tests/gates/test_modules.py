"""What a cold start loads. Each module is a file to find and to run while a visitor waits."""

from __future__ import annotations

import pytest

from tests.gates.modules import Runtime
from tests.gates.package import FUNCTIONS, Package

MOST = 460
OF_A_MISS = {"jwt", "coze_sts.web"}
OF_NOBODY = {"pydantic", "aws_xray_sdk", "aws_lambda_powertools.event_handler"}


@pytest.fixture(scope="session")
def runtime(own: Package, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


def test_init_loads_so_many_modules_with_those_of_the_runtime(
    runtime: Runtime, own: Package
) -> None:
    loaded = runtime.loaded("TokenFunction", package=own)
    assert {"app", "awslambdaric.bootstrap"} <= loaded
    assert len(loaded) <= MOST


def test_init_loads_nothing_that_only_an_exchange_needs(runtime: Runtime, own: Package) -> None:
    assert runtime.loaded("TokenFunction", package=own).isdisjoint(OF_A_MISS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_loads_a_framework_at_init(
    runtime: Runtime, own: Package, function: str
) -> None:
    assert runtime.loaded(function, package=own).isdisjoint(OF_NOBODY)
