"""The flame graphs show who called whom, and each as wide as it took."""

import re
import sys
from typing import Any

from tests.bench.flame import MARGIN, WIDTH, draw
from tests.bench.profiled import Profile


def inner() -> int:
    return sum(range(20_000))


def outer() -> None:
    for _ in range(3):
        inner()


def test_each_call_is_under_the_one_that_made_it_and_within_its_time() -> None:
    profile = Profile()
    sys.setprofile(profile)
    outer()
    sys.setprofile(None)
    (name, called), *rest = profile.tree()["calls"].items()
    assert name.endswith("test_flame:outer")
    assert not rest
    ((below, node),) = called["calls"].items()
    assert below.endswith("test_flame:inner")
    assert 0 < node["seconds"] <= called["seconds"]


def frames(svg: str) -> dict[str, tuple[float, float, int]]:
    """Left edge, width and row of each frame by its name and share."""
    pattern = r"<title>(.*?)</title><rect x=\"([\d.]+)\" y=\"(\d+)\" width=\"([\d.]+)\""
    return {
        title: (float(left), float(width), int(top))
        for title, left, top, width in re.findall(pattern, svg)
    }


def node(seconds: float, **calls: Any) -> dict[str, Any]:
    return {"seconds": seconds, "calls": calls}


def test_a_frame_is_as_wide_as_its_share_and_below_its_caller() -> None:
    tree = node(4, a=node(3, b=node(1), narrow=node(0.001)), c=node(1))
    assert frames(draw(tree, title="T")) == {
        "a: 75.0%": (0, WIDTH * 0.75, MARGIN),
        "b: 25.0%": (0, WIDTH * 0.25, MARGIN + 17),
        "c: 25.0%": (WIDTH * 0.75, WIDTH * 0.25, MARGIN),
    }


def test_a_name_is_text_and_no_markup() -> None:
    assert "<lambda>" not in draw(node(1, **{"m:<lambda>": node(1)}), title="<T>")
