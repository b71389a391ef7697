"""From a summary to the sessions of the frontier artifact."""

from __future__ import annotations

from orket_lib.artifacts.views.frontier import FrontierRow, FrontierSession, MeasuredWith
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.vocabulary.statuses import Lane, RunStatus
from orket_lib.vocabulary.verdicts import DecisionStatus


def explorer_sessions(summary: Summary) -> tuple[FrontierSession, ...]:
    """Return each model's frontier in the explorer's words; `""` where there is no quant."""
    return tuple(_session(session, summary.execution_lane) for session in summary.sessions)


def served_in_row(row: RowMetrics) -> MeasuredWith | None:
    """Return what a row was measured with; None for a cell that was not measured."""
    if row.status is not RunStatus.MEASURED:
        return None
    return MeasuredWith(
        sha256=row.artifact.sha256,
        digest=row.artifact.digest,
        build=row.artifact.build,
        platform=row.platform,
    )


def _session(session: ModelSession, lane: Lane) -> FrontierSession:
    frontier = session.efficiency_frontier
    # Older summaries of lane ci name one.
    best_value = None if lane is Lane.CI else frontier.best_value_quant_tag
    return FrontierSession(
        model_id=session.model_id,
        baseline_quant=session.baseline_quant or "",
        minimum_viable_quant=frontier.minimum_viable_quant_tag or "",
        best_value_quant=best_value or "",
        measured_further=_measured_further(session),
        recommendation=session.recommendation,
        quant_rows=[
            FrontierRow.of(
                quant_tag=row.quant_tag,
                valid=row.valid,
                served=served_in_row(row),
                **{name: row.reading(name) for name in FrontierRow.readings()},
            )
            for row in session.per_quant
        ],
    )


def _measured_further(session: ModelSession) -> str | None:
    decision = session.decision
    if decision is None:
        return None
    if decision.status is DecisionStatus.TASKS_TOO_EASY:
        return session.baseline_quant or ""
    return decision.pick or ""
