"""`orket sidecar`: run the hardware sidecar of one cell."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, provenance, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--spec", type=Path, required=True, help="spec of the sidecar")
    parser.add_argument("--canary", type=Path, help="verdict of the canary; refuses if it failed")
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight; likewise")
    parser.add_argument("--artifact", type=Path, required=True, help="model file")
    add_out(parser, "what was seen; attempts lie beside it")


def run(options: argparse.Namespace) -> int:
    """Run it and write what was seen, whatever that is."""
    from orket_lib.artifacts.canary import CanaryVerdict
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.preflight import Preflight
    from orket_lib.artifacts.sidecar import SidecarSpec
    from orket_lib.commands._measuring import console_progress
    from orket_lib.measure.gates import require_canary, require_preflight
    from orket_lib.measure.lifeline import die_with_snakemake
    from orket_lib.measure.sidecar import measure_sidecar, publish_sidecar

    die_with_snakemake()
    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        require_canary(read_model(options.canary, CanaryVerdict))
    spec, folder = read_model(options.spec, SidecarSpec), options.out.parent
    name = f"sidecar {spec.model_id} {spec.quant_tag}"
    with console_progress(name) as progress:
        measurement = measure_sidecar(
            spec, options.artifact, folder, progress, provenance([options.spec])
        )
    publish_sidecar(measurement, folder)
    if measurement.error:
        tell(f"{name}: {measurement.error}")
    return 0
