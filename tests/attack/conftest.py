"""One site for every attack: none of them may change anything in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attack.site import Site, serve_site


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site
