"""``python -m tests.bench.documents``: writes the last run's tables into docs/benchmark*.md."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench import subjects as names
from tests.bench.figures import Figure, ratio
from tests.bench.mix import MIXES, seconds
from tests.bench.output import FOLDER
from tests.bench.targets import MEGABYTE
from tests.bench.words import IN_CHINESE
from tests.local.functions import ROOT

DOCUMENTS: Mapping[str, Callable[[str], str]] = {
    "benchmark.md": lambda english: english,
    "benchmark.zh-CN.md": lambda english: IN_CHINESE[english],
}
SUBJECTS = (names.SERVICE, names.COMPILED, names.OFFICIAL)
COLD = (names.COLD_HIT, names.COLD_MISS)
WARM = (names.MEMORY_HIT, names.TABLE_HIT, names.MISS)
BASELINES = (names.SIGNATURE, names.GET_ITEM, names.PARTS)
NONE = "–"

_WORD = re.compile(r"[a-z]{3}|^no$")

Rows = list[list[str]]


def main() -> int:
    """Replaces what stands between the marks of each table."""
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    memory = json.loads((FOLDER / "memory.json").read_text(encoding="utf-8"))
    tables = {
        "cold": cold_rows(read(results)),
        "warm": warm_rows(read(results)),
        "sizes": size_rows(results["sizes"]),
        "targets": target_rows(results["targets"]),
        "memory": memory_rows(read(memory), memory["dollars"]),
    }
    for name, translate in DOCUMENTS.items():
        fill(ROOT / "docs" / name, tables, translate=translate)
    return 0


def read(results: Mapping[str, Any]) -> dict[str, dict[str, Figure]]:
    """The figures of a file."""
    return {
        name: {measure: Figure(**figure) for measure, figure in of.items()}
        for name, of in results["figures"].items()
    }


def cold_rows(figures: Mapping[str, Mapping[str, Figure]]) -> Rows:
    """Times on the wall, and how many empty handlers they are."""
    empty = figures[names.EMPTY][names.COLD]
    rows = [["", names.EMPTY, *SUBJECTS]]
    for measure in COLD:
        timed = [figures[name][measure] for name in SUBJECTS]
        told = [f"{ratio(f, empty, clock='wall_ms'):.1f} × ({f.wall_ms:.0f} ms)" for f in timed]
        rows.append([measure, f"1 × ({empty.wall_ms:.0f} ms)", *told])
    return rows


def warm_rows(figures: Mapping[str, Mapping[str, Figure]]) -> Rows:
    """Processor time beyond an empty handler's, in milliseconds."""
    nothing = figures[names.EMPTY][names.WARM].processor_ms

    def told(of: Mapping[str, Figure], measure: str) -> str:
        return f"{of[measure].processor_ms - nothing:.2f}" if measure in of else NONE

    rows = [["ms", *SUBJECTS]]
    rows += [[measure, *(told(figures[name], measure) for name in SUBJECTS)] for measure in WARM]
    return rows + [[name, told(figures[name], names.WARM), NONE, NONE] for name in BASELINES]


def size_rows(sizes: Mapping[str, Mapping[str, int]]) -> Rows:
    """Megabytes."""
    kinds = ("zipped", "unpacked")
    return [
        ["MB", *SUBJECTS],
        *([kind, *(f"{sizes[name][kind] / MEGABYTE:.1f}" for name in SUBJECTS)] for kind in kinds),
    ]


def target_rows(targets: Iterable[Mapping[str, Any]]) -> Rows:
    """Each with what came of it."""
    rows = [["target", "measured", "at most", "met"]]
    for one in targets:
        met = "yes" if one["met"] else "no"
        rows.append([one["title"], f"{one['value']:.2f}", f"{one['at_most']:.2f}", met])
    return rows


def memory_rows(
    figures: Mapping[str, Mapping[str, Figure]], dollars: Mapping[str, Mapping[str, float]]
) -> Rows:
    """Seconds with what Coze and AWS take, and dollars for a million requests."""
    rows = [["MB", *COLD, *WARM, *(f"$, {mix}" for mix in MIXES)]]
    for size, of in figures.items():
        times = [f"{seconds(measure, of[measure]):.3f} s" for measure in (*COLD, *WARM)]
        rows.append([size, *times, *(f"{dollars[size][mix]:.2f}" for mix in MIXES)])
    return rows


def markdown(rows: Sequence[Sequence[str]], *, translate: Callable[[str], str]) -> str:
    """A table; what is a word, and no number, is translated."""
    told = [[translate(cell) if _WORD.search(cell) else cell for cell in row] for row in rows]
    head, *rest = (f"| {' | '.join(row)} |" for row in told)
    return "\n".join([head, "| " + " | ".join(["---"] * len(rows[0])) + " |", *rest])


def fill(path: Path, tables: Mapping[str, Rows], *, translate: Callable[[str], str]) -> None:
    """Each table between its two marks."""
    text = path.read_text(encoding="utf-8")
    for name, rows in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{markdown(rows, translate=translate)}\n{end}{after}"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
