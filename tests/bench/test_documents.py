"""The tables of the documents are those of the results, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench import documents
from tests.bench import subjects as names
from tests.bench.build import Size
from tests.bench.documents import DOCUMENTS, IN_CHINESE, fill, markdown
from tests.bench.figures import Figure
from tests.bench.mix import MIXES, NEEDS
from tests.bench.targets import judge
from tests.local.functions import ROOT

FIGURE = Figure(wall_ms=20, processor_ms=10, log_bytes=500)
MEASURES = [*NEEDS, names.COLD, names.WARM]
EVERYBODY = [
    *documents.SUBJECTS,
    names.EMPTY,
    *documents.BASELINES,
]


@pytest.fixture(scope="module")
def tables() -> dict[str, documents.Rows]:
    """Of a run in which everybody took the same."""
    quick = {names.EMPTY: Figure(wall_ms=2, processor_ms=1, log_bytes=0)}
    figures = {name: dict.fromkeys(MEASURES, quick.get(name, FIGURE)) for name in EVERYBODY}
    sizes = {name: {"zipped": 9_000_000, "unpacked": 20_000_000} for name in documents.SUBJECTS}
    judged = judge(figures, {name: Size(**size) for name, size in sizes.items()})
    targets: list[Any] = [{**vars(one), "met": one.met} for one in judged]
    return {
        "cold": documents.cold_rows(figures),
        "warm": documents.warm_rows(figures),
        "sizes": documents.size_rows(sizes),
        "targets": documents.target_rows(targets),
        "memory": documents.memory_rows(
            {"512": dict.fromkeys(NEEDS, FIGURE)}, {"512": dict.fromkeys(MIXES, 1.5)}
        ),
    }


def test_a_ratio_stands_beside_the_time_it_is_of(tables: dict[str, documents.Rows]) -> None:
    assert tables["cold"][1][:3] == [names.COLD_HIT, "1 × (2 ms)", "10.0 × (20 ms)"]


def test_warm_figures_are_without_what_the_runtime_uses(tables: dict[str, documents.Rows]) -> None:
    assert tables["warm"][1][:2] == [names.MEMORY_HIT, "9.00"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_takes_every_table_and_takes_it_again(
    name: str, tables: dict[str, documents.Rows], tmp_path: Path
) -> None:
    path, translate = tmp_path / name, DOCUMENTS[name]
    path.write_text((ROOT / "docs" / name).read_text(encoding="utf-8"), encoding="utf-8")
    fill(path, tables, translate=translate)
    once = path.read_text(encoding="utf-8")
    assert all(markdown(rows, translate=translate) in once for rows in tables.values())
    fill(path, tables, translate=translate)
    assert path.read_text(encoding="utf-8") == once


def test_no_words_are_kept_that_no_table_has(tables: dict[str, documents.Rows]) -> None:
    cells = {cell for rows in tables.values() for row in rows for cell in row}
    assert IN_CHINESE.keys() - {"yes", "no"} <= cells
