"""From a summary to the sessions of the frontier artifact."""

from __future__ import annotations

from orket_lib.artifacts.frontier import FrontierRow, FrontierSession
from orket_lib.artifacts.summary import ModelSession, Summary


def explorer_sessions(summary: Summary) -> tuple[FrontierSession, ...]:
    """Return each model's frontier in the explorer's words; `""` where there is no quant."""
    return tuple(map(_session, summary.sessions))


def _session(session: ModelSession) -> FrontierSession:
    frontier = session.efficiency_frontier
    return FrontierSession(
        model_id=session.model_id,
        baseline_quant=session.baseline_quant or "",
        minimum_viable_quant=frontier.minimum_viable_quant_tag or "",
        best_value_quant=frontier.best_value_quant_tag or "",
        recommendation=session.recommendation,
        quant_rows=[
            FrontierRow.of(
                quant_tag=row.quant_tag,
                valid=row.valid,
                **{name: row.reading(name) for name in FrontierRow.readings()},
            )
            for row in session.per_quant
        ],
    )
