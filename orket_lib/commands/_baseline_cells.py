"""A finished sweep as what its cells would be recorded as."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.analysis.regression import CellNow
from orket_lib.analysis.rounds import as_one
from orket_lib.artifacts.run_report import RunReport
from orket_lib.artifacts.summary import Summary

if TYPE_CHECKING:
    from orket_lib.artifacts.baseline import Baseline
    from orket_lib.stores.baselines import BaselineStore


def add_storage_root(parser: argparse.ArgumentParser) -> None:
    """Add the folder that holds the baselines."""
    parser.add_argument(
        "--storage-root",
        type=Path,
        default=Path("storage"),
        help="folder with baselines/ in it (default: storage)",
    )


def store_of(options: argparse.Namespace) -> BaselineStore:
    """Return the store that the options name."""
    from orket_lib.stores.baselines import BaselineStore

    return BaselineStore(options.storage_root)


def cells_of(summary: Summary, bank: Path | None) -> Iterator[CellNow]:
    """Yield the cells of a sweep; one that is not valid has no records, and says why.

    Raises:
        ArtifactError: A run report is gone, or the bank no longer holds the tasks that were asked.
    """
    from orket_lib.artifacts.io import read_model

    path = bank or Path(summary.matrix["task_bank"])
    for session in summary.sessions:
        for row in session.per_quant:
            if row.valid:
                reports = [read_model(Path(found), RunReport) for found in row.report_paths]
                records = records_of(as_one(reports), path)
                yield CellNow(row.model_id, row.quant_tag, records)
            else:
                yield CellNow(
                    row.model_id, row.quant_tag, invalid_because=tuple(row.invalid_because)
                )


def records_of(report: RunReport, bank: Path) -> dict[str, Baseline]:
    """Return the records that a run report makes, by test id.

    Raises:
        ArtifactError: The bank no longer holds the tasks that were asked.
    """
    from orket_lib.analysis.gold import baselines_of
    from orket_lib.artifacts.canonical import DIGEST_LENGTH
    from orket_lib.tasks.bank import load_bank, selection
    from orket_lib.vocabulary.errors import ArtifactError

    loaded = load_bank(bank)
    wanted = set(report.spec.tasks.ids)
    tasks = tuple(task for task in loaded.tasks if task.id in wanted)
    if selection(loaded, tasks) != report.spec.tasks:
        raise ArtifactError(f"{bank}: no longer holds the tasks that were measured")
    revisions = {task.test_id: selection(loaded, (task,)).sha256[:DIGEST_LENGTH] for task in tasks}
    return baselines_of(report, revisions)
