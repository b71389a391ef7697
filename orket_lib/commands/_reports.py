"""The run reports behind a row of a summary, as long as they are still those that it quotes."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from orket_lib.vocabulary.errors import ArtifactError

if TYPE_CHECKING:
    from orket_lib.artifacts.row import RowMetrics
    from orket_lib.artifacts.run_report import RunReport

_TOLERANCE = 1e-9


def reports_of(row: RowMetrics) -> list[RunReport]:
    """Return the run reports of a row, one for each round.

    Raises:
        ArtifactError: One is gone, or they are of other measurements or other grades than the row
            (T22): then its summary is not what they say.
    """
    from orket_lib.analysis.aggregates import task_scores
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.run_report import RunReport

    reports = [read_model(Path(path), RunReport) for path in row.report_paths]
    name = f"{row.model_id} {row.quant_tag}"
    found = tuple(part.sha256 for report in reports for part in report.parts)
    if found != tuple(part.sha256 for part in row.parts):
        raise ArtifactError(
            f"{name}: {', '.join(row.report_paths)} is of other measurements than this summary; "
            "make the summary anew with `snakemake`, or take the one that was made with it"
        )
    scores = task_scores([run for report in reports for run in report.test_runs])
    if row.adherence_score is not None and scores:
        graded = fmean(score.adherence_score for score in scores)
        if abs(graded - row.adherence_score) > _TOLERANCE:
            raise ArtifactError(
                f"{name}: {', '.join(row.report_paths)} was graded otherwise since this summary "
                "was made; make the summary anew with `snakemake`"
            )
    return reports
