from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from builders import metrics, polluted, run, unmeasured

from orket_lib.analysis.frontier import (
    FrontierPolicy,
    baseline_of,
    best_value,
    by_bits,
    eligible_rows,
    memory_mib,
    minimum_viable,
    pareto_rows,
    vibe_delta,
)
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane

POLICY = FrontierPolicy(adherence_threshold=0.9, latency_ceiling=10, include_invalid=False)
LENIENT = FrontierPolicy(adherence_threshold=0.9, latency_ceiling=10, include_invalid=True)
SCORES = task_scores([run(1), run(2)])


def session(
    rows: Sequence[RowMetrics], policy: FrontierPolicy = POLICY, lane: Lane = Lane.LAB
) -> ModelSession:
    scores = {row.quant_tag: SCORES for row in rows}
    return build_session("nano", rows, scores, policy, lane)


def tags(rows: Sequence[RowMetrics]) -> list[str]:
    return [row.quant_tag for row in rows]


def picks(rows: Sequence[RowMetrics], policy: FrontierPolicy = POLICY) -> tuple[Any, Any, Any]:
    found = session(rows, policy)
    frontier = found.efficiency_frontier
    assert found.recommendation_detail.minimum_viable_quant == frontier.minimum_viable_quant_tag
    assert found.recommendation_detail.best_value_quant == frontier.best_value_quant_tag
    return (
        found.baseline_quant,
        frontier.minimum_viable_quant_tag,
        frontier.best_value_quant_tag,
    )


F16 = metrics("F16", 16.0, total_latency=4.0)
Q8 = metrics("Q8_0", 8.5, total_latency=2.0)
Q4 = metrics("Q4_K_M", 4.9, adherence_score=0.9, total_latency=1.0)
Q2 = metrics("Q2_K", 3.2, adherence_score=0.5, total_latency=0.9)


def test_the_smallest_quant_that_keeps_enough_is_recommended() -> None:
    assert picks([F16, Q8, Q4, Q2]) == ("F16", "Q4_K_M", "Q4_K_M")


def test_rows_are_ordered_by_bits_whatever_their_order() -> None:
    for rows in itertools.permutations([F16, Q8, Q4, Q2]):
        assert tags(by_bits(rows)) == ["F16", "Q8_0", "Q4_K_M", "Q2_K"]
        assert picks(rows) == ("F16", "Q4_K_M", "Q4_K_M")


def test_a_score_on_the_threshold_is_enough() -> None:
    base = metrics("F16", 16.0, adherence_score=0.8)
    on_it = metrics("Q4_K_M", 4.9, adherence_score=0.72)
    below = metrics("Q3_K_M", 4.0, adherence_score=0.7199)
    assert tags(eligible_rows([base, on_it, below], base, POLICY, Lane.LAB)) == ["F16", "Q4_K_M"]


def test_a_latency_on_the_ceiling_is_enough() -> None:
    on_it = metrics("Q4_K_M", 4.9, total_latency=10.0)
    above = metrics("Q3_K_M", 4.0, total_latency=10.001)
    assert tags(eligible_rows([F16, on_it, above], F16, POLICY, Lane.LAB)) == ["F16", "Q4_K_M"]


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        pytest.param([F16, Q8], "Q8_0", id="more adherence per second"),
        pytest.param(
            [
                metrics("F16", 16.0, adherence_score=1.0, total_latency=2.0),
                metrics("Q8_0", 8.5, adherence_score=0.95, total_latency=1.9),
            ],
            "F16",
            id="tie: more adherence",
        ),
        pytest.param(
            [metrics("F16", 16.0), metrics("Q8_0", 8.5)], "F16", id="tie in all: more bits"
        ),
        pytest.param(
            [
                metrics("F16", 16.0, adherence_score=0.0, total_latency=2.0),
                metrics("Q8_0", 8.5, adherence_score=0.0, total_latency=1.0),
            ],
            "Q8_0",
            id="tie at zero: lower latency",
        ),
        pytest.param([F16], "F16", id="one row"),
    ],
)
def test_t17_best_value_is_by_measured_latency_and_breaks_its_ties_in_order(
    rows: list[RowMetrics], best: str
) -> None:
    for order in itertools.permutations(rows):
        found = best_value(order, Lane.LAB)
        assert found is not None
        assert found.quant_tag == best


def test_nothing_eligible_has_no_best() -> None:
    assert best_value([], Lane.LAB) is None
    assert minimum_viable([]) is None


def test_one_row_is_baseline_and_both_picks() -> None:
    assert picks([Q4]) == ("Q4_K_M", "Q4_K_M", "Q4_K_M")


@pytest.mark.parametrize(
    "first",
    [unmeasured("F16", 16.0), polluted("F16", 16.0)],
    ids=["did not load", "polluted"],
)
def test_a_baseline_that_is_not_valid_is_substituted_and_that_is_said(first: RowMetrics) -> None:
    found = session([first, Q8, Q4])
    assert found.baseline_quant == "Q8_0"
    assert found.baseline_substituted_for == "F16"
    assert found.recommendation.startswith("nano: F16 can't be the baseline (")
    assert "F16" in [row.quant_tag for row in found.per_quant]


def test_the_adherence_of_a_polluted_row_sets_no_standard() -> None:
    weak = metrics("Q8_0", 8.5, adherence_score=0.6)
    weaker = metrics("Q4_K_M", 4.9, adherence_score=0.58)
    assert picks([polluted("F16", 16.0), weak, weaker]) == ("Q8_0", "Q4_K_M", "Q8_0")


def test_no_valid_row_is_no_frontier() -> None:
    found = session([polluted("F16", 16.0), polluted("Q8_0", 8.5), unmeasured("Q2_K", 3.2)])
    frontier = found.efficiency_frontier
    assert found.baseline_quant is None
    assert found.baseline_substituted_for is None
    assert frontier.reason == "NO_VALID_BASELINE"
    assert frontier.minimum_viable_quant_tag is None
    assert frontier.best_value_quant_tag is None
    assert frontier.optimal_quant_tag is None
    assert frontier.pareto_quants == ()
    assert found.comparisons == ()
    assert found.recommendation.startswith(
        "nano: no recommendation, because no quant has answers to judge."
    )
    for row in found.per_quant:
        assert (row.vibe_delta, row.vibe_delta_status) == (None, "NO_VALID_BASELINE")


def test_nothing_eligible_has_a_reason() -> None:
    slow = [metrics("F16", 16.0, total_latency=11.0), metrics("Q8_0", 8.5, total_latency=12.0)]
    found = session(slow)
    assert found.baseline_quant == "F16"
    assert found.efficiency_frontier.reason == "NO_ELIGIBLE_QUANT"
    assert found.efficiency_frontier.optimal_quant_tag is None


def test_a_polluted_row_takes_part_only_when_asked() -> None:
    rows = [F16, Q8, polluted("Q4_K_M", 4.9, adherence_score=1.0, total_latency=0.5)]
    assert picks(rows) == ("F16", "Q8_0", "Q8_0")
    assert picks(rows, LENIENT) == ("F16", "Q4_K_M", "Q4_K_M")
    found = session(rows, LENIENT)
    assert found.efficiency_frontier.include_invalid
    assert "Rows that are not valid were included." in found.recommendation
    assert "not valid" not in session([F16, Q8], LENIENT).recommendation


def test_an_unmeasured_row_never_takes_part() -> None:
    rows = [F16, unmeasured("Q2_K", 3.2)]
    assert picks(rows, LENIENT) == ("F16", "F16", "F16")


def test_lane_ci_says_that_speeds_are_no_evidence() -> None:
    assert "speeds are not evidence" in session([F16], lane=Lane.CI).recommendation
    assert "speeds are not evidence" not in session([F16]).recommendation


def test_pareto_rows_are_beaten_by_no_other() -> None:
    small = metrics("Q4_K_M", 4.9, generation_tokens_per_second=90.0, peak_memory_rss=512.0)
    beaten = metrics("Q5_K_M", 5.7, generation_tokens_per_second=90.0, peak_memory_rss=600.0)
    best = metrics("F16", 16.0)
    assert tags(pareto_rows([beaten, small, best], False, Lane.LAB)) == ["F16", "Q4_K_M"]


def test_equal_rows_do_not_beat_each_other() -> None:
    assert tags(pareto_rows([F16, Q8], False, Lane.LAB)) == ["F16", "Q8_0"]


def test_a_row_with_an_unknown_figure_is_no_pareto_row() -> None:
    blind = metrics("Q8_0", 8.5, peak_memory_rss=Null("REMOTE_SERVER"), adherence_score=1.0)
    mute = metrics("Q6_K", 6.6, generation_tokens_per_second=Null("NO_CLOCK"))
    assert tags(pareto_rows([F16, blind, mute], False, Lane.LAB)) == ["F16"]


def test_a_polluted_row_is_no_pareto_row_unless_asked() -> None:
    fast = polluted("Q2_K", 3.2, generation_tokens_per_second=900.0)
    assert tags(pareto_rows([F16, fast], False, Lane.LAB)) == ["F16"]
    assert tags(pareto_rows([F16, fast], True, Lane.LAB)) == ["Q2_K"]


@pytest.mark.parametrize(
    ("rss", "vram", "expected"),
    [
        pytest.param(100.0, 50.0, 150.0, id="both"),
        pytest.param(100.0, Null("NO_GPU_USED"), 100.0, id="no GPU is no VRAM"),
        pytest.param(100.0, Null("GPU_UNATTRIBUTABLE"), Null("GPU_UNATTRIBUTABLE"), id="unknown"),
        pytest.param(Null("REMOTE_SERVER"), 50.0, Null("REMOTE_SERVER"), id="remote"),
    ],
)
def test_memory_is_vram_and_rss(
    rss: float | Null, vram: float | Null, expected: float | Null
) -> None:
    assert memory_mib(metrics(peak_memory_rss=rss, peak_vram_mib=vram)) == expected


BASE = metrics("F16", 16.0, adherence_score=0.9, peak_memory_rss=3072.0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"adherence_score": 0.8, "peak_memory_rss": 1024.0}, 0.05, id="0.1 for 2 GiB"),
        pytest.param({"adherence_score": 1.0, "peak_memory_rss": 1024.0}, 0.0, id="better"),
        pytest.param({"peak_memory_rss": 3072.0}, Null("NO_MEMORY_SAVED"), id="nothing saved"),
        pytest.param({"peak_memory_rss": 4000.0}, Null("NO_MEMORY_SAVED"), id="more used"),
        pytest.param({"peak_memory_rss": Null("REMOTE_SERVER")}, Null("MEMORY_UNKNOWN"), id="?"),
    ],
)
def test_vibe_delta_is_adherence_lost_per_gib_saved(
    changes: dict[str, Any], expected: float | Null
) -> None:
    found = vibe_delta(metrics("Q4_K_M", 4.9, **changes), BASE)
    assert found == (expected if isinstance(expected, Null) else pytest.approx(expected))


def test_vibe_delta_of_the_baseline_is_zero() -> None:
    assert vibe_delta(BASE, BASE) == 0.0


def test_vibe_delta_without_a_measurement_or_baseline_is_null() -> None:
    assert vibe_delta(unmeasured("Q2_K", 3.2), BASE) == Null("NOT_MEASURED")
    assert vibe_delta(Q8, None) == Null("NO_VALID_BASELINE")


def test_a_null_vibe_delta_stands_in_the_session_with_its_status() -> None:
    found = session([BASE, metrics("Q4_K_M", 4.9, peak_memory_rss=4000.0)])
    base, other = found.per_quant
    assert (base.vibe_delta, base.vibe_delta_status) == (0.0, "OK")
    assert (other.vibe_delta, other.vibe_delta_status) == (None, "NO_MEMORY_SAVED")


def test_the_baseline_is_the_valid_row_with_the_most_bits() -> None:
    assert baseline_of([Q2, polluted("F16", 16.0), Q8], include_invalid=False) is Q8
    assert baseline_of([], include_invalid=True) is None


@pytest.mark.parametrize(("adherence", "eligible"), [(0.0, 0), (0.0015, 0), (0.049, 0), (0.05, 2)])
def test_of_next_to_nothing_nothing_is_kept(adherence: float, eligible: int) -> None:
    rows = [
        metrics("F16", 16.0, adherence_score=adherence),
        metrics("Q4_K_M", 4.9, adherence_score=adherence),
    ]
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False)
    assert len(eligible_rows(rows, rows[0], policy, Lane.LAB)) == eligible
    found = build_session("nano", rows, {"F16": (), "Q4_K_M": ()}, policy, Lane.LAB)
    reason = found.efficiency_frontier.reason
    assert reason == (None if eligible else "BASELINE_DOES_NOTHING")


def test_lane_ci_ranks_nothing_by_speed() -> None:
    frontier = session([F16, Q8, Q4, Q2], lane=Lane.CI).efficiency_frontier
    assert frontier.minimum_viable_quant_tag == "Q4_K_M"
    assert (frontier.best_value_quant_tag, frontier.optimal_quant_tag) == (None, None)
    assert frontier.reason == "LANE_CI"


def test_lane_ci_recommends_without_a_word_on_value() -> None:
    found = session([F16, Q8, Q4], lane=Lane.CI)
    assert found.recommendation_detail.best_value_quant is None
    assert found.recommendation.endswith("Lane ci: speeds are not evidence.")
    assert "value" not in found.recommendation


def test_in_lane_ci_no_latency_is_too_high_and_none_has_to_be_known() -> None:
    slow = metrics("Q4_K_M", 4.9, total_latency=99.0)
    unknown = metrics("Q3_K_M", 4.0, total_latency=Null("NO_RUN_ANSWERED"))
    rows = [F16, slow, unknown]
    assert tags(eligible_rows(rows, F16, POLICY, Lane.CI)) == ["F16", "Q4_K_M", "Q3_K_M"]
    assert tags(eligible_rows(rows, F16, POLICY, Lane.LAB)) == ["F16"]
    found = session([metrics("F16", 16.0, total_latency=99.0)], lane=Lane.CI)
    assert found.efficiency_frontier.minimum_viable_quant_tag == "F16"


def test_in_lane_ci_pareto_rows_are_of_adherence_and_memory_alone() -> None:
    light = metrics("Q8_0", 8.5, generation_tokens_per_second=1.0, peak_memory_rss=500.0)
    mute = metrics(
        "Q6_K",
        6.6,
        generation_tokens_per_second=Null("TIMING_UNAVAILABLE"),
        peak_memory_rss=400.0,
        adherence_score=0.9,
    )
    assert tags(pareto_rows([F16, light, mute], False, Lane.CI)) == ["Q8_0", "Q6_K"]
    assert tags(pareto_rows([F16, light, mute], False, Lane.LAB)) == ["F16", "Q8_0"]


def test_in_lane_ci_a_lack_of_a_baseline_is_the_reason_that_is_given() -> None:
    frontier = session([polluted("F16", 16.0)], lane=Lane.CI).efficiency_frontier
    assert frontier.reason == "NO_VALID_BASELINE"
