"""The last lines of a sweep that its KPI gate stopped."""

from __future__ import annotations

from typing import Any

import pytest
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.analysis.kpis import gate_failures
from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.views.kpis import KpiGate, KpiPolicy
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.kpi_failures import disturbed_part, kpi_failures
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import TokenStatus

AGAIN = "snakemake -R measure_cell --configfile my.yaml"


def gate_of(found: Summary, **limits: Any) -> KpiGate:
    policy = KpiPolicy(**limits)
    failures = gate_failures(found.stability_kpis, policy)
    return KpiGate(
        generated_at=found.generated_at,
        provenance=Provenance(ref="test", commit_sha=None, dirty=None),
        execution_lane=found.execution_lane,
        vram_profile=found.vram_profile,
        hardware_fingerprint=found.hardware_fingerprint,
        summary_path="sweep_summary.json",
        policy=policy,
        stability_kpis=found.stability_kpis,
        verdict="FAIL" if failures else "PASS",
        failures=failures,
    )


def lines_of(found: Summary, **limits: Any) -> list[str]:
    return kpi_failures(gate_of(found, **limits), found, "limits.json", AGAIN)


def test_a_gate_that_passed_says_nothing() -> None:
    assert lines_of(summary(seven())) == []


def test_each_kpi_is_named_with_its_amount_its_rows_and_a_remedy() -> None:
    rows = [
        polluted("F16", 16.0, 0.9, "hot"),
        row("Q8_0", 8.5, 0.9, determinism_rate=0.95),
        row("Q4_K_M", 4.9, 0.9),
    ]
    assert lines_of(summary(rows)) == [
        "KPI gate: FAIL",
        "  polluted_run_rate=0.333333 exceeds max_polluted_run_rate=0.1",
        "    orket-nano F16: run quality is POLLUTED",
        "    stop what disturbed them",
        "  determinism_rate=0.983333 is below min_determinism_rate=1",
        "    orket-nano Q8_0: 0.950",
        "    the same question got different answers: check for a temperature above 0, a seed that "
        "the server ignores, and other clients of the server",
        f"  after fixing this, measure again: {AGAIN}",
        "  or change the limits in limits.json and rerun the same command",
    ]


def test_a_model_without_a_frontier_is_named_with_its_reason() -> None:
    silent = polluted("F16", 16.0, 0.9, "x", token_metrics_status=TokenStatus.NO_TIMES)
    said = lines_of(summary([silent], seven()), max_polluted_run_rate=None)
    assert said[1:6] == [
        "  missing_telemetry_rate=0.125 exceeds max_missing_telemetry_rate=0.01",
        "    orket-nano F16: TIMING_UNAVAILABLE",
        "    the server reports no token counts or no times: use another server, or another "
        "version of it",
        "  frontier_success_rate=0.5 is below min_frontier_success_rate=0.8",
        "    orket-nano: NO_VALID_BASELINE",
    ]


def test_a_kpi_that_is_null_is_explained_by_its_reason() -> None:
    said = lines_of(summary([row("Q8_0", 8.5, 0.9, determinism_rate=Null("ONE_RUN_PER_TASK"))]))
    assert said[1:4] == [
        "  determinism_rate=null (1 run per task)",
        "    orket-nano Q8_0: ONE_RUN_PER_TASK",
        "    ask each task twice (runs_per_quant: 2), or switch this limit off "
        "(min_determinism_rate: null)",
    ]
    nothing = lines_of(summary([failed("Q8_0", 8.5)]))
    assert nothing[1:3] == [
        "  missing_telemetry_rate=null (nothing measured)",
        "    no row was measured; the reasons are listed above",
    ]


def test_of_many_rows_some_are_named() -> None:
    rows = [polluted(f"Q{bits}", float(bits), 0.9, "hot") for bits in range(2, 10)]
    said = lines_of(summary(rows), min_frontier_success_rate=None)
    assert said[2].count("run quality is POLLUTED") == 5
    assert said[2].endswith("; orket-nano Q5: run quality is POLLUTED and 3 more")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"speed_spoiled_by": ("hot",), "latency_spoiled_by": ()}, "probes"),
        ({"speed_spoiled_by": (), "latency_spoiled_by": ("hot",)}, "runs"),
        ({"speed_spoiled_by": ("hot",), "latency_spoiled_by": ("hot",)}, None),
        ({"latency_spoiled_by": (), "quality_spoiled_by": ("SERVER_RESTARTED: x",)}, None),
        ({"latency_spoiled_by": (), "run_quality_reasons": ()}, None),  # the server's own fault
        ({"latency_spoiled_by": (), "determinism_rate": 0.5}, None),
        ({}, None),  # an older row
    ],
)
def test_a_gate_that_fails_by_disturbed_times_asks_for_the_disturbed_part(
    changes: dict[str, Any], part: str | None
) -> None:
    row = polluted("F16", 16.0, 0.9, "hot", quality_spoiled_by=())
    found = summary([row.model_copy(update=changes)])
    assert disturbed_part(gate_of(found), found) == part


def test_answers_that_do_not_count_are_named_where_quality_is_asked_for() -> None:
    cut = polluted("F16", 16.0, 0.9, "hot", quality_spoiled_by=("CONTEXT_TRUNCATED: cut",))
    found = summary([cut], quality_only=True)
    said = lines_of(found)
    assert said[1:3] == [
        "  polluted_run_rate_as_asked=1 exceeds max_polluted_run_rate=0.1",
        "    orket-nano F16: CONTEXT_TRUNCATED: cut",
    ]
    assert said[3:5] == [
        "    stop what disturbed them",
        "  frontier_success_rate_as_asked=0 is below min_frontier_success_rate=0.8",
    ]
