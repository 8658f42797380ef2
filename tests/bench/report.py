"""What was measured, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench import subjects as names
from tests.bench.build import Size
from tests.bench.figures import Figure, Figures, ratio
from tests.bench.rounds import Measured
from tests.bench.targets import MEGABYTE, Judged

COLD_ROWS = (names.COLD_HIT, names.COLD_MISS)
WARM_ROWS = (names.MEMORY_HIT, names.TABLE_HIT, names.MISS)
SUBJECTS = (names.SERVICE, names.COMPILED, names.OFFICIAL)
BASELINES = (names.SIGNATURE, names.GET_ITEM, names.PARTS)


def figures_table(figures: Figures) -> str:
    """Times, and cold ones as a ratio to the empty handler's."""
    empty = figures[names.EMPTY]
    head = f"{'':34}{'wall':>10}{'processor':>12}{'× empty: wall':>16}{'processor':>11}"
    lines = [head, _line("empty handler, cold", empty[names.COLD], beside=empty[names.COLD])]
    for row in (*COLD_ROWS, *WARM_ROWS):
        runtime = empty[names.COLD] if row in COLD_ROWS else None
        lines.append(row)
        lines += [
            _line(f"  {subject}", figures[subject][row], beside=runtime)
            for subject in SUBJECTS
            if row in figures[subject]
        ]
    lines.append("warm, beside which these are measured")
    lines += [_line(f"  {name}", figures[name][names.WARM]) for name in (names.EMPTY, *BASELINES)]
    return "\n".join(lines)


def _line(title: str, figure: Figure, *, beside: Figure | None = None) -> str:
    times = f"{title:34}{figure.wall_ms:7.1f} ms{figure.processor_ms:9.2f} ms"
    if beside is None:
        return times
    of_wall, of_processor = (
        ratio(figure, beside, clock=clock) for clock in ("wall_ms", "processor_ms")
    )
    return times + f"{of_wall:16.1f}{of_processor:11.1f}"


def sizes_table(sizes: Mapping[str, Size]) -> str:
    """What is deployed."""
    lines = [f"{'package':34}{'zip':>10}{'unpacked':>12}"]
    for name in SUBJECTS:
        zipped, unpacked = sizes[name].zipped / MEGABYTE, sizes[name].unpacked / MEGABYTE
        lines.append(f"  {name:32}{zipped:7.1f} MB{unpacked:9.1f} MB")
    return "\n".join(lines)


def verdicts(judged: Sequence[Judged]) -> str:
    """Each target with what came of it."""
    lines = [f"{'target':60}{'measured':>9}{'at most':>9}{'aim':>6}"]
    for one in judged:
        aim = "" if one.aim is None else f"{one.aim:g}"
        met = "met" if one.met else "NOT MET"
        steadier = "" if one.by_processor is None else f"  ({one.by_processor:.2f} by processor)"
        lines.append(f"{one.title:60}{one.value:9.2f}{one.at_most:9g}{aim:>6}  {met}{steadier}")
    return "\n".join(lines)


def remarks(measured: Measured, figures: Figures) -> str:
    """How much of it the stand-ins were, and what a request writes to the log."""
    logs = ", ".join(
        f"{row.removeprefix('warm ')} {figures[names.SERVICE][row].log_bytes:.0f}"
        for row in WARM_ROWS
    )
    hit = figures[names.SERVICE][names.TABLE_HIT].wall_ms
    share = measured.stand_in_ms / hit
    return (
        f"The stand-ins used {measured.stand_in_ms:.2f} ms for a call: {share:.0%} of a warm table "
        f"hit.\nBytes of log for a request: {logs}."
    )
