"""``python -m tests.bench.flame``: where a cold start and a hit in memory go, as flame graphs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.build import build_service
from tests.bench.outside import outside
from tests.bench.process import CLIENT
from tests.bench.run import event_for
from tests.bench.stage import member
from tests.local.functions import ROOT

PICTURES = ROOT / "docs" / "pictures"
PROFILED = Path(__file__).with_name("profiled.py")
WIDTH, ROW, MARGIN = 1200, 17, 34
LEAST = 1.5
"""Pixels: what is narrower is not drawn."""

COLOURS = {
    "coze_sts": "#5b8def",
    "botocore": "#f2a65a",
    "urllib3": "#f5c26b",
    "aws_lambda_powertools": "#7bc47f",
    "cryptography": "#c39bd3",
}
OTHERS = "#c8ced6"
TITLES = {
    "cold": "A cold start, from the first import to the answer out of the table",
    "hit": "A thousand requests whose token is in memory",
}


def draw(tree: dict[str, Any], *, title: str) -> str:
    """An SVG of the calls in `tree`: each row is called by the one above it."""
    total = tree["seconds"]
    rows: list[str] = []
    depth = _rows(tree, left=0.0, level=0, scale=WIDTH / total, total=total, rows=rows)
    height = MARGIN + (depth + 1) * ROW + 6
    size = f'width="{WIDTH}" height="{height}"'
    box = f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} {size}>',
            f'<rect {size} fill="#ffffff"/>',
            f'<text x="6" y="21" font-size="15" font-family="sans-serif">{escape(title)}</text>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _rows(
    node: dict[str, Any],
    *,
    left: float,
    level: int,
    scale: float,
    total: float,
    rows: list[str],
) -> int:
    """Draws a frame and those that it calls; returns the deepest level."""
    deepest = level
    for name, inner in sorted(node["calls"].items(), key=lambda call: -call[1]["seconds"]):
        width = inner["seconds"] * scale
        if width < LEAST:
            continue
        rows.append(
            _frame(name, left=left, level=level, width=width, share=inner["seconds"] / total)
        )
        below = _rows(inner, left=left, level=level + 1, scale=scale, total=total, rows=rows)
        deepest = max(deepest, below)
        left += width
    return deepest


def _frame(name: str, *, left: float, level: int, width: float, share: float) -> str:
    module = name.removeprefix("import ")
    colour = next((of for package, of in COLOURS.items() if module.startswith(package)), OTHERS)
    top = MARGIN + level * ROW
    letters = int(width / 6.7)
    label = name if len(name) <= letters else f"{name[: max(letters - 1, 0)]}…"
    text = f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(label)}</text>' if letters > 3 else ""
    return (
        f"<g><title>{escape(name)}: {share:.1%}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" '
        f'fill="{colour}" stroke="#ffffff" stroke-width="0.5"/>{text}</g>'
    )


def profile(kind: str, *, folder: Path) -> dict[str, Any]:
    """Runs the function under the profiler, in a process of its own."""
    package = build_service(folder)
    with outside() as world:
        done = subprocess.run(
            [CLIENT, str(PROFILED), kind, json.dumps(event_for(member(0)))],
            env={
                **world.variables,
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{package.task}{os.pathsep}{package.layer}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_LAMBDA_FUNCTION_NAME": "bench",
            },
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    tree: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return tree


def main() -> None:
    """Writes docs/pictures/cold.svg and hit.svg."""
    for kind, title in TITLES.items():
        with tempfile.TemporaryDirectory() as folder:
            tree = profile(kind, folder=Path(folder))
        path = PICTURES / f"{kind}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draw(tree, title=title), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
