"""Run reports of a summary's rows, checked against the hashes that the rows quote."""

from __future__ import annotations

import re
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
_PART = re.compile(r"(round|batch)-\d+")


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


def report_files(row: RowMetrics, cells: Path | None = None) -> list[Path]:
    """Return the run reports of a row.

    Args:
        row: The row.
        cells: The sweep's `cells/`; None means that they are where the row says.
    """
    paths = list(map(Path, row.report_paths))
    # MODEL/QUANT/run.json, or MODEL/QUANT/round-2/run.json
    return (
        paths
        if cells is None
        else [
            cells.joinpath(*path.parts[-4 if _PART.fullmatch(path.parent.name) else -3 :])
            for path in paths
        ]
    )


def reports_of(row: RowMetrics, cells: Path | None = None) -> list[RunReport]:
    """Return the run reports of a row, one for each round.

    Args:
        row: The row.
        cells: As for `report_files`.

    Raises:
        ArtifactError: A report is missing, or was made from other measurements or grades than the
            row (T22).
    """
    reports = [read_model(path, RunReport) for path in report_files(row, cells)]
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
