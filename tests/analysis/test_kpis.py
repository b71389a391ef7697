"""Stability KPIs, and the verdict of the KPI gate."""

from __future__ import annotations

import pytest
from builders import metrics, polluted, unmeasured

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import gate_failures, stability_kpis
from orket_lib.artifacts.views.kpis import KpiPolicy
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import StabilityKpis
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, TokenStatus


def kpis(
    *models: list[RowMetrics],
    include_invalid: bool = False,
    quality_only: bool = False,
    lane: Lane = Lane.LAB,
) -> StabilityKpis:
    policy = FrontierPolicy(0.9, 10.0, include_invalid, quality_only=quality_only)
    return stability_kpis(models, policy, lane)


def test_a_clean_sweep_has_clean_kpis() -> None:
    found = kpis([metrics("F16", 16.0), metrics("Q8_0", 8.5)], [metrics("F16", 16.0)])
    assert found.determinism_rate == 1.0
    assert found.missing_telemetry_rate == 0.0
    assert found.polluted_run_rate == 0.0
    assert found.frontier_success_rate == 1.0
    assert (found.quant_rows, found.sessions, found.weighted_runs) == (3, 2, 12)


def test_rows_are_weighted_by_their_runs() -> None:
    rows = [
        metrics("F16", 16.0, test_runs=30, determinism_rate=1.0),
        polluted("Q8_0", 8.5, test_runs=10, determinism_rate=0.5),
    ]
    found = kpis(rows)
    assert found.polluted_run_rate == pytest.approx(10 / 40)
    assert found.determinism_rate == pytest.approx((30 * 1.0 + 10 * 0.5) / 40)
    assert found.weighted_runs == 40


def test_a_row_without_runs_weighs_one() -> None:
    found = kpis([metrics("F16", 16.0, test_runs=0), polluted("Q8_0", 8.5, test_runs=3)])
    assert found.polluted_run_rate == pytest.approx(3 / 4)
    assert found.weighted_runs == 4


def test_rows_whose_tokens_are_missing_are_counted() -> None:
    silent = polluted("Q8_0", 8.5, token_metrics_status=TokenStatus.NO_COUNTS)
    assert kpis([metrics("F16", 16.0), silent]).missing_telemetry_rate == 0.5


def test_a_row_that_was_not_measured_has_no_weight() -> None:
    found = kpis([metrics("F16", 16.0), unmeasured("Q2_K", 3.2)])
    assert found.polluted_run_rate == 0.0
    assert (found.quant_rows, found.weighted_runs) == (2, 4)


def test_an_unknown_determinism_is_null_and_not_one() -> None:
    once = metrics("Q8_0", 8.5, determinism_rate=Null("ONE_RUN_PER_TASK"))
    found = kpis([metrics("F16", 16.0), once])
    assert found.determinism_rate is None
    assert found.null_reasons["determinism_rate"] == "ONE_RUN_PER_TASK"


def test_a_session_succeeds_by_a_strictly_eligible_row() -> None:
    good = [metrics("F16", 16.0)]
    dirty = [polluted("F16", 16.0)]
    slow = [metrics("F16", 16.0, total_latency=11.0)]
    dead = [unmeasured("F16", 16.0)]
    assert kpis(good, dirty, slow, dead).frontier_success_rate == 0.25


def test_a_polluted_row_sets_no_standard_for_success() -> None:
    rows = [polluted("F16", 16.0), metrics("Q8_0", 8.5, adherence_score=0.5)]
    assert kpis(rows).frontier_success_rate == 1.0


def test_nothing_measured_is_null_everywhere() -> None:
    found = kpis([unmeasured("F16", 16.0)])
    for name in ("determinism_rate", "missing_telemetry_rate", "polluted_run_rate"):
        assert getattr(found, name) is None
        assert found.null_reasons[name] == "NOTHING_MEASURED"
    assert found.frontier_success_rate == 0.0


def test_no_session_has_no_success_rate() -> None:
    assert kpis().null_reasons["frontier_success_rate"] == "NO_SESSION"


def test_with_invalid_rows_asked_for_their_success_is_a_figure_of_its_own() -> None:
    models = [[polluted("F16", 16.0)], [unmeasured("F16", 16.0)], [metrics("F16", 16.0)]]
    found = kpis(*models, include_invalid=True)
    assert found.frontier_success_rate == pytest.approx(1 / 3)
    assert found.frontier_success_rate_as_asked == pytest.approx(2 / 3)
    assert kpis(*models).frontier_success_rate_as_asked is None


@pytest.mark.parametrize(
    ("row", "share", "success"),
    [
        (polluted("F16", 16.0, quality_spoiled_by=()), 0.0, 1.0),
        (polluted("F16", 16.0, quality_spoiled_by=(), total_latency=Null("X")), 0.0, 1.0),
        (polluted("F16", 16.0, quality_spoiled_by=("CONTEXT_TRUNCATED: cut",)), 1.0, 0.0),
        (metrics("F16", 16.0, total_latency=11.0), 0.0, 0.0),  # slow on a quiet machine
    ],
)
def test_where_quality_alone_is_asked_for_disturbed_times_do_not_count(
    row: RowMetrics, share: float, success: float
) -> None:
    found = kpis([row], quality_only=True)
    assert (found.polluted_run_rate, found.frontier_success_rate) == (float(not row.valid), 0.0)
    asked = (found.polluted_run_rate_as_asked, found.frontier_success_rate_as_asked)
    assert asked == (share, success)
    assert bool(gate_failures(found, KpiPolicy())) == (asked != (0.0, 1.0))
    assert gate_failures(kpis([row]), KpiPolicy()) != ()
    assert kpis([row]).polluted_run_rate_as_asked is None


def test_nothing_measured_is_no_figure_as_asked() -> None:
    found = kpis([unmeasured("F16", 16.0)], quality_only=True)
    assert found.polluted_run_rate_as_asked is found.frontier_success_rate_as_asked is None


def test_in_lane_ci_no_latency_spoils_a_session() -> None:
    slow = [metrics("F16", 16.0, total_latency=11.0)]
    assert kpis(slow).frontier_success_rate == 0.0
    assert kpis(slow, lane=Lane.CI).frontier_success_rate == 1.0


def stated(**changes: object) -> StabilityKpis:
    values = {
        "determinism_rate": 1.0,
        "missing_telemetry_rate": 0.0,
        "polluted_run_rate": 0.0,
        "frontier_success_rate": 1.0,
        "quant_rows": 7,
        "sessions": 1,
        "weighted_runs": 100,
    }
    return StabilityKpis.of(**(values | changes))


def test_good_figures_pass() -> None:
    assert gate_failures(stated(), KpiPolicy()) == ()


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        (
            {"missing_telemetry_rate": 0.2},
            "missing_telemetry_rate=0.2 exceeds max_missing_telemetry_rate=0.01",
        ),
        ({"polluted_run_rate": 0.5}, "polluted_run_rate=0.5 exceeds max_polluted_run_rate=0.1"),
        (
            {"frontier_success_rate": 0.5},
            "frontier_success_rate=0.5 is below min_frontier_success_rate=0.8",
        ),
        ({"determinism_rate": 0.99}, "determinism_rate=0.99 is below min_determinism_rate=1"),
        (
            {"determinism_rate": Null("ONE_RUN_PER_TASK")},
            "determinism_rate=null (1 run per task)",
        ),
        (
            {"polluted_run_rate": Null("NOTHING_MEASURED")},
            "polluted_run_rate=null (nothing measured)",
        ),
    ],
)
def test_a_figure_that_misses_its_limit_is_named(changes: dict[str, object], failure: str) -> None:
    assert gate_failures(stated(**changes), KpiPolicy()) == (failure,)


def test_a_figure_at_its_limit_passes() -> None:
    at = stated(polluted_run_rate=0.1, frontier_success_rate=0.8, missing_telemetry_rate=0.01)
    assert gate_failures(at, KpiPolicy()) == ()


def test_determinism_is_not_gated_where_each_task_is_asked_once_on_purpose() -> None:
    once = stated(determinism_rate=Null("ONE_RUN_PER_TASK"))
    assert gate_failures(once, KpiPolicy(), one_run=True) == ()
    assert gate_failures(stated(determinism_rate=0.5), KpiPolicy(), one_run=True) != ()
    unknown = stated(determinism_rate=Null("NO_ANSWER_SHOWN"))
    assert gate_failures(unknown, KpiPolicy(), one_run=True) != ()


def test_null_switches_a_limit_off_and_not_a_figure() -> None:
    off = KpiPolicy(min_determinism_rate=None)
    assert gate_failures(stated(determinism_rate=Null("ONE_RUN_PER_TASK")), off) == ()
    assert gate_failures(stated(determinism_rate=Null("ONE_RUN_PER_TASK")), KpiPolicy()) != ()


def test_where_invalid_rows_were_asked_for_their_success_is_judged() -> None:
    asked = stated(frontier_success_rate=0.0, frontier_success_rate_as_asked=1.0)
    assert gate_failures(asked, KpiPolicy()) == ()
    missed = stated(frontier_success_rate=1.0, frontier_success_rate_as_asked=0.5)
    assert gate_failures(missed, KpiPolicy()) == (
        "frontier_success_rate_as_asked=0.5 is below min_frontier_success_rate=0.8",
    )
