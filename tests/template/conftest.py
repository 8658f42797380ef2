from __future__ import annotations

import pytest

from tests.template.variants import EVERY, Variant


@pytest.fixture(params=EVERY, ids=str)
def stack(request: pytest.FixtureRequest) -> Variant:
    return request.param
