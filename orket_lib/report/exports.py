"""The rows of a sweep as data for other programs: points of a scatter plot, and one flat table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orket_lib.artifacts.views.scatter import ScatterPoint
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.text import spreadsheet_text

if TYPE_CHECKING:
    from pandas import DataFrame

_COLUMNS = (
    *("model_id", "quant_tag", "status", "token_metrics_status", "run_quality_status"),
    *("hardware_sidecar", "valid", *SummaryRow.readings(), "test_runs", "failed_runs"),
)


def scatter_points(summary: Summary, include_invalid: bool) -> tuple[ScatterPoint, ...]:
    """Return every row as a point, valid or not.

    Args:
        summary: What a sweep found.
        include_invalid: Let rows that are not valid have a role on the frontier, in this view only.
    """
    return tuple(
        ScatterPoint.of(
            model_id=row.model_id,
            quant_tag=row.quant_tag,
            quant_rank=row.reading("quant_rank"),
            generation_tps=row.reading("generation_tokens_per_second"),
            adherence_score=row.reading("adherence_score"),
            total_latency=row.reading("total_latency"),
            valid=row.valid,
            frontier_role=view.roles[row.quant_tag],
        )
        for session in summary.sessions
        for view in [frontier_view(session, summary.execution_lane, include_invalid)]
        for row in session.per_quant
    )


def summary_table(summary: Summary) -> DataFrame:
    """Return a tidy table, one row per quant; `null_reasons` says why a cell is empty.

    `overall_rank` and `overall_pareto` are those among all models; empty for one model, and for a
    quant that is not ranked.
    """
    import pandas as pd

    rows = [row for session in summary.sessions for row in session.per_quant]
    values = [[getattr(row, name) for name in _COLUMNS] for row in rows]
    reasons = ["; ".join(map(": ".join, row.null_reasons.items())) for row in rows]
    cells = summary.ranking.cells if summary.ranking else ()
    ranked = {(cell.model_id, cell.quant_tag): cell for cell in cells}
    placed = [ranked.get((row.model_id, row.quant_tag)) for row in rows]
    table = pd.DataFrame(values, columns=list(_COLUMNS)).assign(
        overall_rank=pd.array([cell.rank if cell else None for cell in placed], "Int64"),
        overall_pareto=pd.array([cell.pareto if cell else None for cell in placed], "boolean"),
        null_reasons=reasons,
    )
    texts = table.select_dtypes(["object", "string"])
    shown = texts.map(lambda cell: spreadsheet_text(cell) if isinstance(cell, str) else cell)
    return table.assign(**{str(name): column for name, column in shown.items()})
