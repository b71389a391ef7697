"""From the rows of a sweep to its summary. The result doesn't depend on the order of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import stability_kpis
from orket_lib.analysis.ranking.models import rank_models
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.views.kld import Kld
from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.ranking import Ranking
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.summary import (
    CanaryDrift,
    CanarySummary,
    FailedRow,
    ModelSession,
    StabilityKpis,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, RunStatus


@dataclass(frozen=True)
class SummaryBody:
    """The findings of a sweep."""

    sessions: tuple[ModelSession, ...]
    ranking: Ranking | None
    stability_kpis: StabilityKpis
    failed_rows: tuple[FailedRow, ...]


def summarize(
    rows: Sequence[Row],
    models: Sequence[str],
    policy: FrontierPolicy,
    lane: Lane,
    looks: Mapping[str, Look] = MappingProxyType({}),
    klds: Mapping[str, Kld] = MappingProxyType({}),
) -> SummaryBody:
    """Return the findings from all rows, with the models in the order of the config.

    Args:
        rows: Of all models.
        models: Their ids.
        policy: Limits and preference.
        lane: What the numbers are good for.
        looks: The last look at each model; empty if all tasks are asked at once.
        klds: How far each model's probabilities differ; empty if they were not measured.
    """
    grouped: dict[str, list[Row]] = {model: [] for model in models}
    for row in rows:
        grouped.get(row.metrics.model_id, []).append(row)
    present = {model: group for model, group in grouped.items() if group}
    sessions = tuple(
        build_session(
            model,
            [row.metrics for row in group],
            {row.metrics.quant_tag: row.task_scores for row in group},
            policy,
            lane,
            looks.get(model),
            klds.get(model),
        )
        for model, group in present.items()
    )
    failed = tuple(
        FailedRow(
            model_id=row.model_id,
            quant_tag=row.quant_tag,
            status=row.status.value,
            status_reason=row.status_reason,
        )
        for session in sessions
        for row in session.per_quant
        if row.status is not RunStatus.MEASURED
    )
    kpis = stability_kpis(
        [[row.metrics for row in group] for group in present.values()], policy, lane
    )
    ranking = rank_models(
        [row for group in present.values() for row in group], policy.include_invalid, lane
    )
    return SummaryBody(sessions, ranking, kpis, failed)


def canary_summary(verdict: CanaryVerdict, drifts: tuple[CanaryDrift, ...] = ()) -> CanarySummary:
    """Return the summary's copy of a canary's verdict, and its drift over the sweep."""
    figures = verdict.figures
    off = Null("CANARY_OFF")
    return CanarySummary.of(
        enabled=verdict.policy.enabled,
        passed=verdict.passed,
        failed_reasons=verdict.failed_reasons,
        explanations=verdict.explanations,
        quality_only=verdict.quality_only,
        adherence_variance=figures.reading("adherence_variance") if figures else off,
        internal_latency_cv=figures.reading("internal_latency_cv") if figures else off,
        latency_variance_threshold=verdict.policy.latency_variance_threshold,
        drifts=drifts,
    )
