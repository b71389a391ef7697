"""`orket run-report`: put a cell's sealed parts together, and grade its answers."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.request import AskedCell, AskedTasks
from orket_lib.artifacts.views.receipt import CellReceipt
from orket_lib.commands._common import add_out, provenance
from orket_lib.commands.measure._measurement_options import tasks_of
from orket_lib.measure.journal.run_report import run_report
from orket_lib.sweep.batches import batch_spec
from orket_lib.tasks.grading.graders import sandbox_for
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = (
    "orket run-report --receipt receipt.json --spec spec.json --tasks tasks.json --out run.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--receipt", type=Path, required=True, help="receipt of the cell")
    add("--spec", type=Path, required=True, help="what the sweep measures (JSON)")
    add("--tasks", type=Path, required=True, help="the sweep's tasks (JSON)")
    add_out(parser, "run report")


def run(options: argparse.Namespace) -> int:
    """Read the parts, grade, write."""
    asked = read_model(options.tasks, AskedTasks)
    receipt = read_model(options.receipt, CellReceipt)
    spec = read_model(options.spec, AskedCell).spec.model_copy(update={"tasks": asked.tasks})
    if receipt.batch:
        if not 1 <= receipt.batch <= len(asked.batches):
            raise ArtifactError(
                f"{options.receipt}: is of batch {receipt.batch}, and {options.tasks} has "
                f"{len(asked.batches)}"
            )
        spec = batch_spec(spec, asked.batches, receipt.batch)
    tasks = tasks_of(Path(asked.bank), spec.tasks)
    report = run_report(
        receipt,
        spec,
        tasks,
        sandbox_for(tasks, asked.sandbox),
        provenance([options.receipt, options.spec, options.tasks]),
    )
    write_model(options.out, report)
    return 0
