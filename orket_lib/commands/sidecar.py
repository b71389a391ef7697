"""`orket sidecar`: run the hardware sidecar of one cell."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, provenance, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.commands._measuring import add_gates, add_source

    parser.add_argument("--spec", type=Path, required=True, help="spec of the sidecar")
    add_gates(parser)
    add_source(parser)
    add_out(parser, "what was seen; attempts lie beside it")


def run(options: argparse.Namespace) -> int:
    """Run it and write what was seen, whatever that is."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.sidecar import SidecarSpec
    from orket_lib.commands._measuring import (
        console_progress,
        require_gates,
        source,
        tell_failure,
    )
    from orket_lib.measure.lifeline import die_with_snakemake
    from orket_lib.measure.sidecar import measure_sidecar, publish_sidecar

    die_with_snakemake()
    require_gates(options)
    spec, folder = read_model(options.spec, SidecarSpec), options.out.parent
    name = f"sidecar {spec.model_id} {spec.quant_tag}"
    with console_progress(name) as progress:
        measurement = measure_sidecar(
            spec, source(options, spec.artifact), folder, progress, provenance([options.spec])
        )
    publish_sidecar(measurement, folder)
    if measurement.error:
        tell(f"{name}: {measurement.error}")
    tell_failure(measurement)
    return 0
