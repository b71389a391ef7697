"""`orket canary`: measure the canary."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, provenance, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.commands._measuring import add_source

    parser.add_argument("--spec", type=Path, required=True, help="spec of the canary")
    parser.add_argument("--preflight", type=Path, required=True, help="verdict of the preflight")
    add_source(parser)
    parser.add_argument("--bank", type=Path, required=True, help="task bank")
    add_out(parser, "the measurement")


def run(options: argparse.Namespace) -> int:
    """Measure and write what was seen, whatever that is."""
    from orket_lib.artifacts.io import read_model, write_model
    from orket_lib.artifacts.preflight import Preflight
    from orket_lib.artifacts.spec import CanarySpec
    from orket_lib.commands._measuring import console_progress, source, tasks_of
    from orket_lib.measure.canary import measure_canary
    from orket_lib.measure.gates import require_preflight
    from orket_lib.measure.lifeline import die_with_snakemake

    die_with_snakemake()
    require_preflight(read_model(options.preflight, Preflight))
    spec = read_model(options.spec, CanarySpec)
    with console_progress(f"canary {spec.model_id} {spec.quant_tag}") as progress:
        measurement = measure_canary(
            spec,
            source(options, spec.artifact),
            tasks_of(options.bank, spec),
            options.out.with_suffix(".server.log"),
            options.out.with_suffix(".samples.csv"),
            options.out.with_suffix(".runner"),
            progress,
            provenance([options.spec]),
        )
    write_model(options.out, measurement)
    if measurement.failure:
        tell(f"canary: {measurement.failure}")
    return 0
