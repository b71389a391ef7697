"""`orket measure-cell`: take a cell's measurements from the store, and measure what is missing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.request import AskedCell, AskedTasks
from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.commands._common import add_out, provenance, tell, whole_number
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    opened_gates,
    sources,
    tasks_of,
)
from orket_lib.measure.cell import CellMeasurement
from orket_lib.measure.cell_receipt import dropped_receipt, receipt_of
from orket_lib.measure.cell_result import result_line
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.stores.parts import CellStore, read_part
from orket_lib.sweep.batches import batch_spec
from orket_lib.vocabulary.statuses import Again, RunStatus
from orket_lib.workflow.job_environment import again_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--spec", type=Path, required=True, help="what to measure (JSON)")
    add("--tasks", type=Path, required=True, help="the sweep's tasks (JSON)")
    add("--round", type=int, default=1, help="round of the sweep; default: %(default)s")
    add("--batch", type=whole_number(1), help="ask only this batch of the sweep's tasks")
    add("--look", type=Path, help="the look before this batch: whether it is still asked")
    add_measuring(parser, get_args(Again))
    add_out(parser, "receipt; the measurements are in storage")


def run(options: argparse.Namespace) -> int:
    """Measure what is missing and write the receipt. A model that fails is a result."""
    die_with_snakemake()
    asked = read_model(options.spec, AskedCell)
    tasks = read_model(options.tasks, AskedTasks)
    made_from = provenance([options.spec, options.tasks, *filter(None, [options.look])])
    name = f"{asked.spec.model_id} {asked.spec.quant_tag}"
    if dropped := _dropped(options, asked.spec.quant_tag):
        receipt = dropped_receipt(asked.spec, dropped, made_from, options.batch, options.attempt)
        write_model(options.out, receipt)
        return 0  # the look that dropped it has said so
    spec = asked.spec.model_copy(update={"tasks": tasks.tasks})
    if options.batch:
        spec = batch_spec(spec, tasks.batches, options.batch)
    asked_tasks = tasks_of(Path(tasks.bank), spec.tasks)
    progress = JobProgress(name)
    outcome = CellMeasurement(
        spec,
        sources(options, asked),
        asked_tasks,
        CellStore(options.storage_root / spec.folder),
        progress,
        options.round,
        options.again,
        opened_gates(options),
        facts=options.storage_root / SERVER_FACTS,
    ).run(made_from)
    receipt = receipt_of(spec, outcome, made_from, options.round, options.attempt, options.batch)
    write_model(options.out, receipt)
    if progress.measured and receipt.status is RunStatus.MEASURED:
        parts = [read_part(taken) for taken in receipt.parts]
        progress.result(result_line(parts, spec, asked_tasks))
    if receipt.status is not RunStatus.MEASURED:
        tell(f"{name}: {receipt.status.value}: {receipt.status_reason}")
        if not receipt.retry:
            tell(f"to measure it again, run: {again_command(options.out)}")
    return 0


def _dropped(options: argparse.Namespace, quant: str) -> Dropped | None:
    """Return why the quant is not asked this batch; None if it is.

    Every quant is asked the first one: it has the speeds, and the answers that fidelity compares.
    """
    if options.look is None or options.batch == 1:
        return None
    return read_model(options.look, Look).dropped(quant)
