"""Measuring a cell and putting its report together, as two jobs of the workflow do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builders import PROVENANCE
from silent import Silent

from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.receipt import CellReceipt
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.cell import CellMeasurement, Gate
from orket_lib.measure.cell_receipt import receipt_of
from orket_lib.measure.journal.run_report import run_report
from orket_lib.measure.progress import Progress
from orket_lib.providers.base import Source
from orket_lib.stores.parts import CellStore
from orket_lib.tasks.bank import Task, task_key
from orket_lib.tasks.grading.graders import sandbox_for
from orket_lib.vocabulary.statuses import Again

NANO = Source(Path("nano.gguf"))


def asking(wanted: RunSpec, tasks: Sequence[Task]) -> RunSpec:
    """Return a spec that asks some tasks."""
    keys = tuple(task_key(task, wanted.runner is not None, wanted.context) for task in tasks)
    ids = tuple(task.id for task in tasks)
    chosen = wanted.tasks.model_copy(update={"ids": ids, "keys": keys})
    return wanted.model_copy(update={"tasks": chosen})


def receipt_for(
    folder: Path,
    wanted: RunSpec,
    tasks: Sequence[Task],
    source: Source = NANO,
    progress: Progress | None = None,
    again: Again | None = None,
    facts: Path | None = None,
    gate: Gate = lambda: None,
) -> CellReceipt:
    """Measure what a cell lacks, and return its receipt."""
    spec = asking(wanted, tasks)
    measurement = CellMeasurement(
        spec,
        lambda say: source,
        tasks,
        CellStore(folder),
        progress or Silent(),
        again=again,
        facts=facts,
        gate=gate,
    )
    return receipt_of(spec, measurement.run(PROVENANCE), PROVENANCE)


def measured_report(
    folder: Path, wanted: RunSpec, tasks: Sequence[Task], *where: Any, **how: Any
) -> RunReport:
    """Measure what a cell lacks, as `receipt_for` does, and return what it came to."""
    receipt = receipt_for(folder, wanted, tasks, *where, **how)
    sandbox = sandbox_for(tasks, wanted.sandbox)
    return run_report(receipt, asking(wanted, tasks), tasks, sandbox, PROVENANCE)
