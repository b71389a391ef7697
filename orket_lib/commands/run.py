"""`orket run`: measure one cell."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, provenance, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.commands._measuring import add_gates, add_source

    parser.add_argument("--spec", type=Path, required=True, help="spec of the cell")
    add_gates(parser)
    add_source(parser)
    parser.add_argument("--bank", type=Path, required=True, help="task bank")
    add_out(parser, "the run report; journal and attempts lie beside it")


def run(options: argparse.Namespace) -> int:
    """Measure what is missing and write the report; a model that fails is a result."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.spec import RunSpec
    from orket_lib.commands._measuring import console_progress, require_gates, source, tasks_of
    from orket_lib.measure.harness import CellMeasurement
    from orket_lib.measure.lifeline import die_with_snakemake
    from orket_lib.vocabulary.statuses import RunStatus

    die_with_snakemake()
    require_gates(options)
    spec = read_model(options.spec, RunSpec)
    name = f"{spec.model_id} {spec.quant_tag}"
    tasks = tasks_of(options.bank, spec)
    served_from = source(options, spec.artifact)
    with console_progress(name) as progress:
        cell = CellMeasurement(spec, served_from, tasks, options.out.parent, progress)
        report = cell.run(provenance([options.spec]))
    if report.status is not RunStatus.MEASURED:
        tell(f"{name}: {report.status.value}: {report.status_reason}")
        again = "go on with it, once that is put right" if cell.halted else "measure it again"
        tell(f"to {again}, delete {options.out.as_posix()} and type the same command")
    return 0
