"""The run reports behind a row of a summary, as long as they are still those that it quotes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.workflow.receipts import taken_parts

_TOLERANCE = 1e-9
_RECEIPT = "receipt.json"


def refuse_replaced(summary: Summary) -> None:
    """Refuse a summary whose cells have been measured anew since.

    It is the receipts that are looked at, which say which measurements count by now. Where they are
    gone there is nothing to contradict the summary: a report is also made far from its storage.

    Raises:
        ArtifactError: A row is of other measurements than its cell has now (T22).
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
        ArtifactError: One is gone, or they are of other measurements or other grades than the row
            (T22): then its summary is not what they say.
    """
    reports = [read_model(Path(path), RunReport) for path in row.report_paths]
    name = f"{row.model_id} {row.quant_tag}"
    found = tuple(part.sha256 for report in reports for part in report.parts)
    if found != tuple(part.sha256 for part in row.parts):
        raise _replaced(row, row.report_paths)
    scores = task_scores([run for report in reports for run in report.test_runs])
    if row.adherence_score is not None and scores:
        graded = fmean(score.adherence_score for score in scores)
        if abs(graded - row.adherence_score) > _TOLERANCE:
            raise ArtifactError(
                f"{name}: {', '.join(row.report_paths)} was graded otherwise since this summary "
                "was made; make the summary anew with `snakemake`"
            )
    return reports


def _replaced(row: RowMetrics, files: Sequence[str]) -> ArtifactError:
    return ArtifactError(
        f"{row.model_id} {row.quant_tag}: {', '.join(files)} is of other measurements than this "
        "summary; make the summary anew with `snakemake`, or take the one that was made with it"
    )
