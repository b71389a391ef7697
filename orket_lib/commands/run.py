"""`orket run`: measure one cell."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, provenance, tell
from orket_lib.vocabulary.errors import ArtifactError, Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--spec", type=Path, required=True, help="spec of the cell")
    parser.add_argument("--canary", type=Path, help="verdict of the canary; refuses if it failed")
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight; likewise")
    parser.add_argument("--artifact", type=Path, required=True, help="model file")
    parser.add_argument("--bank", type=Path, required=True, help="task bank")
    add_out(parser, "the run report; journal and attempts lie beside it")


def run(options: argparse.Namespace) -> int:
    """Measure what is missing and write the report; a model that fails is a result."""
    from orket_lib.artifacts.canary import CanaryVerdict
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.preflight import Preflight
    from orket_lib.artifacts.spec import RunSpec
    from orket_lib.commands._measuring import console_progress, tasks_of
    from orket_lib.measure.gates import require_fresh_canary, require_preflight
    from orket_lib.measure.harness import CellMeasurement
    from orket_lib.measure.lifeline import die_with_snakemake
    from orket_lib.telemetry.fingerprint import boot_id
    from orket_lib.vocabulary.clock import utc_now
    from orket_lib.vocabulary.statuses import RunStatus

    die_with_snakemake()
    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        verdict = read_model(options.canary, CanaryVerdict)
        if not verdict.passed:  # the leaf that enforces the verdict says why, once
            raise Refused(f"not measured, because the canary failed: see {options.canary}")
        require_fresh_canary(verdict, utc_now(), boot_id())
    spec = read_model(options.spec, RunSpec)
    name = f"{spec.model_id} {spec.quant_tag}"
    tasks = tasks_of(options.bank, spec)
    if spec.artifact.sha256 and not options.artifact.is_file():
        raise ArtifactError(f"{options.artifact.as_posix()}: the model file is gone")
    with console_progress(name) as progress:
        cell = CellMeasurement(spec, options.artifact, tasks, options.out.parent, progress)
        report = cell.run(provenance([options.spec]))
    if report.status is not RunStatus.MEASURED:
        tell(f"{name}: {report.status.value}: {report.status_reason}")
        tell(f"to measure it again, delete {options.out.as_posix()} and type the same command")
    return 0
