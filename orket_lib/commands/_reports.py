"""Run reports of a summary's rows, checked against the hashes that the rows quote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.rows.aggregates import mean_score, task_scores
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import known
from orket_lib.workflow.receipts import taken_parts

_TOLERANCE = 1e-9
_RECEIPT = "receipt.json"


def refuse_replaced(summary: Summary) -> None:
    """Refuse a summary whose cells have been measured again since.

    The receipts say which measurements count now. A missing receipt is no contradiction: reports
    are also made on machines without the storage.

    Raises:
        ArtifactError: A row quotes other measurements than its cell has now (T22).
    """
    for row in (row for session in summary.sessions for row in session.per_quant):
        receipts = [Path(path).with_name(_RECEIPT) for path in row.report_paths]
        taken = [taken_parts(path) for path in receipts]
        found = tuple(sha256 for parts in taken for sha256 in parts or ())
        if None not in taken and found != tuple(part.sha256 for part in row.parts):
            raise _replaced(row, [path.as_posix() for path in receipts])


def reports_of(row: RowMetrics) -> list[RunReport]:
    """Return the run reports of a row, one for each round.

    Raises:
        ArtifactError: A report is missing, or was made from other measurements or grades than the
            row (T22).
    """
    reports = [read_model(Path(path), RunReport) for path in row.report_paths]
    name = f"{row.model_id} {row.quant_tag}"
    found = tuple(part.sha256 for report in reports for part in report.parts)
    if found != tuple(part.sha256 for part in row.parts):
        raise _replaced(row, row.report_paths)
    scores = task_scores([run for report in reports for run in report.test_runs])
    means = known([mean_score(scores), row.reading("adherence_score")])
    if means and max(means) - min(means) > _TOLERANCE:
        raise ArtifactError(
            f"{name}: the grades in {', '.join(row.report_paths)} have changed since this "
            "summary was made; make it again with `snakemake`"
        )
    return reports


def _replaced(row: RowMetrics, files: Sequence[str]) -> ArtifactError:
    return ArtifactError(
        f"{row.model_id} {row.quant_tag}: {', '.join(files)} has other measurements than this "
        "summary; make the summary again with `snakemake`, or use the one that belongs to it"
    )
