"""``python -m tests.bench.picture``: what was measured, as a picture for the README."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

from tests.bench import subjects as names
from tests.bench.figures import Figure, Figures, ratio
from tests.bench.output import FOLDER
from tests.bench.targets import MEGABYTE
from tests.local.functions import ROOT

mpl.use("Agg")
from matplotlib import pyplot as plt

PICTURE = ROOT / "docs" / "pictures" / "bench.png"
PAPER, INK, UNIT, FAINT = "#ffffff", "#1f2933", "#52606d", "#7b8794"
BAR = 0.26
BARS: Mapping[str, tuple[str, str]] = {
    names.SERVICE: ("Coze STS", "#2457d6"),
    names.COMPILED: ("cozepy + boto3, with bytecode in the package", "#9aa5b1"),
    names.OFFICIAL: ("cozepy + boto3, as a plain sam build leaves it", "#616e7c"),
}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Groups of bars, one for each subject; None where a subject has no such measure.

    `form` writes a value with its unit.
    """

    title: str
    unit: str
    form: str
    groups: Sequence[tuple[str, Mapping[str, float | None]]]


def panels(results: Mapping[str, Any]) -> list[Panel]:
    """Cold starts, warm requests and size, out of a run's results."""
    figures = {
        name: {measure: Figure(**figure) for measure, figure in of.items()}
        for name, of in results["figures"].items()
    }
    empty, signature = figures[names.EMPTY], figures[names.SIGNATURE][names.WARM]

    def cold(figure: Figure) -> float:
        return ratio(figure, empty[names.COLD], clock="wall_ms")

    def warm(figure: Figure) -> float:
        return ratio(figure, signature, beyond=empty[names.WARM], clock="processor_ms")

    sizes = {name: results["sizes"][name]["zipped"] / MEGABYTE for name in BARS}
    return [
        Panel(
            title="Cold start",
            unit="from the start of the process to the first answer; an empty handler is 1",
            form="{:.1f} ×",
            groups=[
                ("token in the table", _of(figures, names.COLD_HIT, cold)),
                ("exchange with Coze", _of(figures, names.COLD_MISS, cold)),
            ],
        ),
        Panel(
            title="Warm request",
            unit="processor time beyond an empty handler's; one RSA-2048 signature is 1",
            form="{:.1f} ×",
            groups=[
                ("token in memory", _of(figures, names.MEMORY_HIT, warm)),
                ("token in the table", _of(figures, names.TABLE_HIT, warm)),
                ("exchange with Coze", _of(figures, names.MISS, warm)),
            ],
        ),
        Panel(
            title="Package",
            unit="zipped, layer and function together",
            form="{:.1f} MB",
            groups=[("on its way to AWS", sizes)],
        ),
    ]


def draw(panels: Sequence[Panel], *, path: Path) -> None:
    """Writes a PNG on white, so that it can be read on a dark page too."""
    heights = [len(panel.groups) for panel in panels]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(10, 7.2), height_ratios=heights, facecolor=PAPER
    )
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="upper left",
        ncols=3,
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
        bbox_to_anchor=(0.01, 0.958),
    )
    figure.suptitle(
        "A token for a visitor, on AWS Lambda: shorter is better",
        x=0.018,
        ha="left",
        fontsize=14,
        fontweight="bold",
        color=INK,
    )
    figure.tight_layout(rect=(0, 0, 1, 0.955), h_pad=1.6)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor=PAPER)
    plt.close(figure)


def _draw(axis: Any, panel: Panel) -> None:
    most = max(value for _, bars in panel.groups for value in bars.values() if value)
    for number, (name, (label, colour)) in enumerate(BARS.items()):
        for group, (_, bars) in enumerate(panel.groups):
            place = group + (number - 1) * (BAR + 0.03)
            value = bars[name]
            axis.barh(place, value or 0, BAR, color=colour, label=label if group == 0 else None)
            text = "keeps none there" if value is None else panel.form.format(value)
            axis.text(
                (value or 0) + most * 0.008,
                place,
                text,
                va="center",
                fontsize=9,
                color=FAINT if value is None else INK,
                fontweight="bold" if name == names.SERVICE else "normal",
            )
    above = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    axis.annotate(panel.title, xytext=(0, 7), fontsize=11, fontweight="bold", color=INK, **above)
    axis.annotate(panel.unit, xytext=(100, 7), fontsize=9.5, color=UNIT, **above)
    axis.set_yticks(range(len(panel.groups)), [title for title, _ in panel.groups], color=INK)
    axis.invert_yaxis()
    axis.set_xlim(0, most * 1.08)
    axis.xaxis.set_visible(False)
    axis.tick_params(length=0, labelsize=10)
    axis.set_facecolor(PAPER)
    for side in ("top", "right", "bottom"):
        axis.spines[side].set_visible(False)
    axis.spines["left"].set_color(FAINT)


def _of(
    figures: Figures, measure: str, value: Callable[[Figure], float]
) -> Mapping[str, float | None]:
    return {
        name: value(figures[name][measure]) if measure in figures[name] else None for name in BARS
    }


def main(arguments: list[str]) -> int:
    """Draws the last run, or the one that is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.picture", description=__doc__)
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    chosen = parser.parse_args(arguments)
    draw(panels(json.loads(chosen.results.read_text(encoding="utf-8"))), path=chosen.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
