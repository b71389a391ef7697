"""Stability KPIs of a sweep, and the verdict of the KPI gate."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from math import fsum
from operator import mul, truediv

from orket_lib.analysis.frontier import FrontierPolicy, baseline_of, eligible_rows
from orket_lib.artifacts.views.kpis import KpiPolicy
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import StabilityKpis
from orket_lib.vocabulary.nulls import Null, all_of, apply
from orket_lib.vocabulary.statuses import Lane, RunStatus, TokenStatus
from orket_lib.vocabulary.thresholds import exceeds, reaches


def stability_kpis(
    models: Sequence[Sequence[RowMetrics]], policy: FrontierPolicy, lane: Lane
) -> StabilityKpis:
    """Return the KPIs of a sweep, each measured row weighted by its runs.

    Args:
        models: The rows of each model.
        policy: What makes a row eligible; `frontier_success_rate` always needs valid rows, and the
            figures as asked follow the policy.
        lane: Decides whether latencies count.
    """
    strict = replace(policy, include_invalid=False, quality_only=False)
    rows = [row for model in models for row in model if row.status is RunStatus.MEASURED]
    quality_only = policy.quality_only and bool(rows)
    return StabilityKpis.of(
        determinism_rate=_determinism(rows),
        missing_telemetry_rate=_share(
            rows, [row.token_metrics_status is not TokenStatus.OK for row in rows]
        ),
        polluted_run_rate=_share(rows, [not row.valid for row in rows]),
        polluted_run_rate_as_asked=(
            _number(_share(rows, [not row.quality_valid for row in rows])) if quality_only else None
        ),
        frontier_success_rate=_success(models, strict, lane) if models else Null("NO_SESSION"),
        frontier_success_rate_as_asked=(
            _number(_success(models, policy, lane))
            if models and (policy.include_invalid or quality_only)
            else None
        ),
        quant_rows=sum(map(len, models)),
        sessions=len(models),
        weighted_runs=sum(map(_weight, rows)),
    )


def _success(
    models: Sequence[Sequence[RowMetrics]], policy: FrontierPolicy, lane: Lane
) -> float | Null:
    """Return the share of models that have an eligible row; null if no task is graded."""
    measured = [row for rows in models for row in rows if row.status is RunStatus.MEASURED]
    if measured and all(row.adherence_score is None for row in measured):
        return Null("NO_EXPECTED_ANSWER")
    return statistics.fmean(bool(_eligible(rows, policy, lane)) for rows in models)


def _eligible(rows: Sequence[RowMetrics], policy: FrontierPolicy, lane: Lane) -> list[RowMetrics]:
    baseline = baseline_of(rows, policy.include_invalid)
    if baseline is None:
        return []
    disturbed = [row for row in rows if row.quality_valid and not row.valid and policy.quality_only]
    return eligible_rows(rows, baseline, policy, lane) or eligible_rows(
        disturbed, baseline, replace(policy, include_invalid=True), Lane.CI
    )


def _number(value: float | Null) -> float | None:
    return None if isinstance(value, Null) else value


def _weight(row: RowMetrics) -> int:
    return max(1, row.test_runs)


def _share(rows: Sequence[RowMetrics], hits: Sequence[bool]) -> float | Null:
    """Return the weight of the rows that were hit, as a share of the weight of all."""
    if not rows:
        return Null("NOTHING_MEASURED")
    hit = sum(_weight(row) for row, is_hit in zip(rows, hits, strict=True) if is_hit)
    return hit / sum(map(_weight, rows))


def _determinism(rows: Sequence[RowMetrics]) -> float | Null:
    weighted = [apply(mul, row.reading("determinism_rate"), _weight(row)) for row in rows]
    # fsum is exact, so the order of the rows can't change the last digit.
    whole = all_of(weighted, fsum, Null("NOTHING_MEASURED"))
    return apply(truediv, whole, sum(map(_weight, rows)))


AS_ASKED = "_as_asked"
_IN_WORDS = {
    "ONE_RUN_PER_TASK": "1 run per task",
    "NO_ANSWER_SHOWN": "the runner reports no answers",
    "NOTHING_MEASURED": "nothing measured",
    "NO_SESSION": "no model",
    "NO_EXPECTED_ANSWER": "no task has an expected answer",
}


def gate_failures(kpis: StabilityKpis, policy: KpiPolicy, one_run: bool = False) -> tuple[str, ...]:
    """Return a sentence for each KPI that misses its limit; a null KPI misses it (trap T9).

    A figure as asked is judged in place of the strict one, if there is one.

    Args:
        kpis: Of the sweep.
        policy: Limits.
        one_run: The config asks each task once and names no policy, so determinism, which one run
            can't show, is not gated.
    """

    def as_asked(name: str) -> str:
        asked = f"{name}{AS_ASKED}"
        return name if getattr(kpis, asked) is None else asked

    upper = {
        "missing_telemetry_rate": policy.max_missing_telemetry_rate,
        as_asked("polluted_run_rate"): policy.max_polluted_run_rate,
    }
    lower = {
        as_asked("frontier_success_rate"): policy.min_frontier_success_rate,
        "determinism_rate": policy.min_determinism_rate,
    }
    failures = []
    for name, limit in {**upper, **lower}.items():
        value = getattr(kpis, name)
        if limit is None:
            continue
        if one_run and value is None and kpis.null_reasons[name] == "ONE_RUN_PER_TASK":
            continue
        if value is None:
            why = kpis.null_reasons[name]
            failures.append(f"{name}=null ({_IN_WORDS.get(why, why)})")
        elif name in upper and exceeds(value, limit):
            of_policy = f"max_{name.removesuffix(AS_ASKED)}"
            failures.append(f"{name}={value:.6g} exceeds {of_policy}={limit:g}")
        elif name in lower and not reaches(value, limit):
            of_policy = f"min_{name.removesuffix(AS_ASKED)}"
            failures.append(f"{name}={value:.6g} is below {of_policy}={limit:g}")
    return tuple(failures)
