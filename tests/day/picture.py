"""The day as a picture: requests, exchanges and refusals."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from tests.day.world import BUCKET_SECONDS, Tally, Weather

mpl.use("Agg")
from matplotlib import pyplot as plt

HOUR = 3600
LINES = (("requests", "#4b6bfb"), ("exchanges", "#12a150"), ("refused", "#d92d20"))


def draw(tally: Tally, *, weather: Weather, path: Path) -> None:
    """Writes a PNG with one panel a line, in counts a minute, and the day's events marked."""
    figure, panels = plt.subplots(len(LINES), 1, sharex=True, figsize=(11, 8))
    for panel, (name, colour) in zip(panels, LINES, strict=True):
        counts = tally.between(name, 0, 24 * HOUR)
        hours = [n * BUCKET_SECONDS / HOUR for n in range(len(counts))]
        per_minute = [count * 60 / BUCKET_SECONDS for count in counts]
        panel.fill_between(hours, per_minute, step="post", color=colour, alpha=0.25)
        panel.step(hours, per_minute, where="post", color=colour, linewidth=1.2)
        panel.set_ylabel(f"{name} a minute")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.axvspan(*[t / HOUR for t in weather.outage], color="#d92d20", alpha=0.12)
        for deploy in weather.deploys:
            panel.axvline(deploy / HOUR, color="#666666", linestyle="--", linewidth=1)
    panels[0].set_title("A day of a large site: Coze out (red), a deploy (dashed)")
    panels[-1].set_xlabel("hour of the day")
    panels[-1].set_xlim(0, 24)
    panels[-1].set_xticks(range(0, 25, 2))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
