"""When `make bench-imports` says no. The count itself takes too long for `make test`."""

from __future__ import annotations

from pathlib import Path

from tests.gates import figures
from tests.gates.figures import LIMITS, Figures
from tests.gates.instructions import COUNTED

RECORDED = Figures(ratios={"TokenFunction": 20.0, "AssertionFunction": 30.0})


def counted(*, token: float = 20.0, assertion: float = 30.0) -> Figures:
    return Figures(ratios={"TokenFunction": token, "AssertionFunction": assertion})


def test_a_figure_is_the_ratio_to_bare_python() -> None:
    found = figures.figures({"Python": 40_000, "A": 1_000_000, "B": 1}, functions=("A",))
    assert found == Figures(ratios={"A": 25.0})


def test_growth_of_five_per_cent_is_let_pass_and_of_more_is_not() -> None:
    assert counted(token=21.0, assertion=31.5).faults(RECORDED) == []
    assert len(counted(token=21.01).faults(RECORDED)) == 1
    assert len(counted(assertion=31.51).faults(RECORDED)) == 1


def test_what_shrank_is_no_fault() -> None:
    assert counted(token=1.0, assertion=1.0).faults(RECORDED) == []


def test_the_token_function_passes_its_limit_never_whatever_was_recorded() -> None:
    assert counted(token=26.0).faults(counted(token=26.0)) == []
    assert len(counted(token=26.01).faults(counted(token=26.01))) == 1


def test_a_function_that_is_counted_but_not_recorded_is_a_fault() -> None:
    (fault,) = counted().faults(Figures(ratios={"TokenFunction": 20.0}))
    assert "AssertionFunction" in fault


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    figures.write(RECORDED, tmp_path / "figures.json")
    assert figures.read(tmp_path / "figures.json") == RECORDED


def test_every_function_that_is_counted_has_its_figure() -> None:
    assert figures.read().ratios.keys() == set(COUNTED)
    assert LIMITS.keys() <= set(COUNTED)
