"""The cells of a finished sweep as baseline records."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.analysis.baselines.regression import CellNow
from orket_lib.analysis.rows.batches import asked_batches
from orket_lib.analysis.rows.quality import row_quality
from orket_lib.analysis.rows.rounds import as_one
from orket_lib.artifacts.baseline import Baseline, BaselineMetadata
from orket_lib.artifacts.digest import DIGEST_LENGTH
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.views.regression import Change, Regression
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._reports import reports_of
from orket_lib.commands._storage import say_if_empty
from orket_lib.config.sections.task_bank import bank_path
from orket_lib.config.shipped import located
from orket_lib.stores.baselines import BaselineStore
from orket_lib.stores.roots import StoreName
from orket_lib.tasks.bank import Task, load_bank, selected, selection
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Lane, Quality


def store_of(options: argparse.Namespace) -> BaselineStore:
    """Return the store that the options name."""
    return BaselineStore(options.storage_root)


def filled_store(options: argparse.Namespace) -> BaselineStore:
    """Return the store that the options name, for a command that reads it; say if it is empty.

    Raises:
        ArtifactError: The folder does not exist.
    """
    say_if_empty(options.storage_root, StoreName.BASELINES)
    return store_of(options)


def cells_of(summary: Summary, bank: Path | None) -> Iterator[CellNow]:
    """Yield the cells of a sweep. A cell that is not valid has its reasons instead of records.

    Raises:
        ArtifactError: A run report is gone or of other measurements, or the bank is unknown or has
            changed.
    """
    named = summary.matrix.get("task_bank")
    if bank is None and named is None:
        raise ArtifactError("--summary: has no task_bank; give it with --bank")
    path = bank or bank_path(named)
    for session in summary.sessions:
        for row in session.per_quant:
            if row.valid:
                reports = reports_of(row)
                clean = row_quality(row.run_quality_reasons, Lane.LAB) is Quality.CLEAN
                asked = [report.spec.tasks for report in asked_batches(reports)]
                lane = summary.execution_lane
                records = records_of(as_one(reports), located(path), clean, lane, asked)
                yield cell_now(row.model_id, row.quant_tag, records)
            else:
                yield CellNow(
                    row.model_id, row.quant_tag, invalid_because=tuple(row.invalid_because)
                )


def cell_now(model_id: str, quant_tag: str, records: Mapping[str, Baseline]) -> CellNow:
    """Return a valid cell; without records, none of its tasks is graded."""
    because = () if records else ("no task has an expected answer",)
    return CellNow(model_id, quant_tag, records, because)


def records_of(
    report: RunReport,
    bank: Path,
    clean: bool,
    lane: Lane | None = None,
    asked: Sequence[TaskSelection] = (),
) -> dict[str, Baseline]:
    """Return the baseline records of a run report, by test id.

    Args:
        report: Run report of a cell.
        bank: Task bank of its tasks.
        clean: Whether it was undisturbed by the rules of lane `lab`.
        lane: Lane of the sweep, if known.
        asked: The tasks of each batch, if the report combines several.

    Raises:
        ArtifactError: The bank no longer holds these tasks.
    """
    loaded = load_bank(bank)
    tasks: list[Task] = []
    for wanted in asked or [report.spec.tasks]:
        found = selected(loaded, wanted)
        if found is None:
            raise ArtifactError(f"{bank}: has changed since these tasks were measured")
        tasks += found
    revisions = {task.test_id: selection(loaded, (task,)).sha256[:DIGEST_LENGTH] for task in tasks}
    return baselines_of(report, revisions, clean, lane)


def metadata_of(cell: CellNow) -> BaselineMetadata:
    """Return the metadata that all records of a cell share."""
    return next(iter(cell.records.values())).baseline_metadata


def regressed_in(path: Path, cells: Sequence[CellNow]) -> set[str]:
    """Return the refs of the measurements that a comparison found worse.

    Raises:
        ArtifactError: It compares other measurements than these.
    """
    measured: dict[tuple[str, str], set[str]] = defaultdict(set)
    for cell in cells:
        if cell.records:
            measured[cell.model_id, cell.quant_tag].add(metadata_of(cell).test_run_id)
    worse = set()
    for compared in read_model(path, Regression).cells:
        ref, here = compared.test_run_id, measured[compared.model_id, compared.quant_tag]
        if ref is None:
            continue
        if here and ref not in here:
            name = f"{compared.model_id} {compared.quant_tag}"
            raise ArtifactError(f"--regression {path}: is of another measurement of {name}: {ref}")
        if any(item.verdict is Change.REGRESSED and item.gates for item in compared.metrics):
            worse.add(ref)
    return worse
