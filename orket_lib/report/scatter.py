"""The points of the quality-against-speed picture."""

from __future__ import annotations

from orket_lib.artifacts.views.scatter import FrontierRole, ScatterPoint
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.report.views import frontier_view


def scatter_points(summary: Summary, include_invalid: bool) -> tuple[ScatterPoint, ...]:
    """Return every row as a point, valid or not.

    Args:
        summary: What a sweep found.
        include_invalid: Let rows that are not valid have a role on the frontier, in this view only.
    """
    return tuple(
        _point(row, view.roles[row.quant_tag])
        for session in summary.sessions
        for view in [frontier_view(session, summary.execution_lane, include_invalid)]
        for row in session.per_quant
    )


def _point(row: SummaryRow, role: FrontierRole) -> ScatterPoint:
    return ScatterPoint.of(
        model_id=row.model_id,
        quant_tag=row.quant_tag,
        quant_rank=row.reading("quant_rank"),
        generation_tps=row.reading("generation_tokens_per_second"),
        adherence_score=row.reading("adherence_score"),
        total_latency=row.reading("total_latency"),
        valid=row.valid,
        frontier_role=role,
    )
