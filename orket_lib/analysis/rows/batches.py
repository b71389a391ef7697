"""Several batches of tasks of one cell: as rounds of it, but each asks other tasks."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.views.row import RowBatch
from orket_lib.artifacts.views.run_report import RunReport


def asked_batches(reports: Sequence[RunReport]) -> list[RunReport]:
    """Return the reports of the batches that were asked; the first one is always there."""
    return [reports[0], *(report for report in reports[1:] if report.dropped is None)]


def batch_figures(reports: Sequence[RunReport], paths: Sequence[str]) -> tuple[RowBatch, ...]:
    """Return what was asked in each batch; nothing if all tasks are asked at once.

    Args:
        reports: In the order of the batches.
        paths: Their paths.
    """
    return tuple(
        RowBatch(
            batch=report.batch,
            report_path=path,
            tasks=len({run.test_id for run in report.test_runs}),
            dropped=report.dropped,
        )
        for report, path in zip(reports, paths, strict=True)
        if report.batch is not None
    )
