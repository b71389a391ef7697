"""The rows of a sweep as data for other programs: points of a scatter plot, and one flat table."""

from __future__ import annotations

import csv
import io

from orket_lib.analysis.rows.adherence_interval import adherence_interval
from orket_lib.artifacts.views.scatter import ScatterPoint
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.text import spreadsheet_text

_COLUMNS = (
    *("model_id", "quant_tag", "status", "token_metrics_status", "run_quality_status"),
    *("hardware_sidecar", "valid", *SummaryRow.readings(), "test_runs", "failed_runs", "tasks"),
)
_OF_FILE = ("bytes", "sha256", "digest")
_AGAINST_BASELINE = ("correct_to_wrong", "wrong_to_correct", "p_value")
_VERDICT = ("verdict", "probability", "kept_share", "kept_low", "kept_high")
_PLACES = ("rank", "pareto")
_INTERVAL = ("bits_per_weight", "adherence_low", "adherence_high")


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


def summary_table(summary: Summary) -> str:
    """Return a tidy table as CSV, one row per quant; `null_reasons` says why a cell is empty.

    `overall_rank` and `overall_pareto` are those among all models; empty for one model, and for a
    quant that is not ranked. `tasks_correct_to_wrong` and `tasks_wrong_to_correct` are against the
    baseline, as are those of the verdict; empty for the baseline itself. `adherence_low` and
    `adherence_high` are the 95 % interval of the adherence.
    """
    cells = summary.ranking.cells if summary.ranking else ()
    ranked = {(cell.model_id, cell.quant_tag): cell for cell in cells}
    verdicts = {(it.model_id, v.quant_tag): v for it in summary.sessions for v in it.verdicts}
    compared = {(it.model_id, c.quant_tag): c for it in summary.sessions for c in it.comparisons}
    groups = (
        *(("file", _OF_FILE), ("tasks", _AGAINST_BASELINE)),
        *(("verdict", _VERDICT), ("overall", _PLACES)),
    )
    baselines = {session.model_id: session.baseline_quant for session in summary.sessions}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    further = [
        name if name == group else f"{group}_{name}" for group, names in groups for name in names
    ]
    table.writerow([*_COLUMNS, *_INTERVAL, *further, "null_reasons"])
    for row in (row for session in summary.sessions for row in session.per_quant):
        name = row.model_id, row.quant_tag
        judged = None if name[1] == baselines[name[0]] else verdicts.get(name)
        sources = (row.artifact, compared.get(name), judged, ranked.get(name))
        values = [
            *(getattr(row, name) for name in _COLUMNS),
            None if row.quant_rank is None else row.quant_rank / 100,
            *adherence_interval(row),
            *(
                getattr(source, name, None)
                for source, (_, names) in zip(sources, groups, strict=True)
                for name in names
            ),
            "; ".join(map(": ".join, (row.null_reasons | row.artifact.null_reasons).items())),
        ]
        table.writerow([spreadsheet_text(it) if isinstance(it, str) else it for it in values])
    return text.getvalue()
