from __future__ import annotations

import pytest

from orket_lib.analysis.kpis import gate_failures
from orket_lib.artifacts.views.kpi_gate import KpiPolicy
from orket_lib.artifacts.views.summary import StabilityKpis
from orket_lib.vocabulary.nulls import Null


def kpis(**changes: object) -> StabilityKpis:
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
    assert gate_failures(kpis(), KpiPolicy()) == ()


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
    assert gate_failures(kpis(**changes), KpiPolicy()) == (failure,)


def test_a_figure_at_its_limit_passes() -> None:
    at = kpis(polluted_run_rate=0.1, frontier_success_rate=0.8, missing_telemetry_rate=0.01)
    assert gate_failures(at, KpiPolicy()) == ()


def test_null_switches_a_limit_off_and_not_a_figure() -> None:
    off = KpiPolicy(min_determinism_rate=None)
    assert gate_failures(kpis(determinism_rate=Null("ONE_RUN_PER_TASK")), off) == ()
    assert gate_failures(kpis(determinism_rate=Null("ONE_RUN_PER_TASK")), KpiPolicy()) != ()


def test_where_invalid_rows_were_asked_for_their_success_is_judged() -> None:
    asked = kpis(frontier_success_rate=0.0, frontier_success_rate_as_asked=1.0)
    assert gate_failures(asked, KpiPolicy()) == ()
    missed = kpis(frontier_success_rate=1.0, frontier_success_rate_as_asked=0.5)
    assert gate_failures(missed, KpiPolicy()) == (
        "frontier_success_rate_as_asked=0.5 is below min_frontier_success_rate=0.8",
    )
