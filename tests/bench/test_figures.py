"""Medians, ratios and targets are worked out as the documents say."""

from __future__ import annotations

from statistics import fmean

import pytest

from tests.bench import subjects as names
from tests.bench.build import Size
from tests.bench.figures import Figure, Tally, ratio
from tests.bench.run import Cost, Run
from tests.bench.targets import TARGETS, judge


def cost(seconds: float) -> Cost:
    return Cost(wall=seconds, processor=seconds / 2, log_bytes=100)


def figure(milliseconds: float) -> Figure:
    return Figure(wall_ms=milliseconds, processor_ms=milliseconds, log_bytes=0)


def a_run(cold: float, warm: list[float]) -> Run:
    return Run(init=cost(0.01), cold=cost(cold), warm={"warm": [cost(each) for each in warm]})


def test_a_figure_is_the_median_over_rounds_of_a_process_own_median() -> None:
    tally = Tally()
    for cold, warm in ((0.1, [1, 2, 90]), (0.3, [5, 4, 3]), (0.2, [3, 3, 3])):
        tally.add("one", "cold", a_run(cold, warm))
    figures = tally.figures()["one"]
    assert figures["cold"].wall_ms == pytest.approx(200)
    assert figures["cold"].processor_ms == pytest.approx(100)
    assert figures["warm"].wall_ms == pytest.approx(3000)
    assert figures["warm"].log_bytes == 100


def test_where_requests_wait_by_turns_their_mean_counts() -> None:
    tally = Tally(average=fmean)
    tally.add("one", "cold", a_run(0.1, [0, 0, 3]))
    assert tally.figures()["one"]["warm"].wall_ms == pytest.approx(1000)


def test_a_ratio_leaves_out_what_the_runtime_costs_both() -> None:
    assert ratio(figure(9), figure(3), clock="wall_ms") == 3
    assert ratio(figure(9), figure(3), beyond=figure(1), clock="processor_ms") == 4


def figures_of(service: float) -> dict[str, dict[str, Figure]]:
    """Others take 10 ms and the runtime 1 ms, cold or warm."""
    measures = (names.COLD_HIT, names.COLD_MISS, names.MEMORY_HIT, names.TABLE_HIT, names.MISS)
    others = {target.subject: {target.beside: figure(10)} for target in TARGETS}
    return {
        **others,
        names.EMPTY: {names.COLD: figure(10), names.WARM: figure(1)},
        names.SERVICE: {measure: figure(service) for measure in measures},
    }


SMALL, LARGE = Size(zipped=1_000_000, unpacked=2_000_000), Size(zipped=10**9, unpacked=10**9)


@pytest.mark.parametrize(("service", "size", "met"), [(2, SMALL, True), (200, LARGE, False)])
def test_a_target_is_met_up_to_its_most(service: float, size: Size, met: bool) -> None:
    judged = judge(figures_of(service), {names.SERVICE: size})
    assert [one.met for one in judged] == [met] * (len(TARGETS) + 2)


def test_cold_starts_go_by_the_wall_and_warm_requests_by_the_processor() -> None:
    for target in TARGETS:
        assert target.clock == ("wall_ms" if "cold" in target.measure else "processor_ms")
