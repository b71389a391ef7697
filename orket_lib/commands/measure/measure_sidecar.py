"""`orket measure-sidecar`: take the hardware sidecar of one cell from the store, or run it."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.request import AskedSidecar
from orket_lib.artifacts.views.receipt import Receipt
from orket_lib.commands._common import add_out, provenance, stamp, tell
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    opened_gates,
    sources,
    tell_failure,
)
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.measure.sidecar.sidecar import measure_sidecar
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.stores.attempts import AttemptStore
from orket_lib.vocabulary.slugs import slug

EXAMPLES = ("orket measure-sidecar --spec spec.json --out receipt.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--spec", type=Path, required=True, help="what to run (JSON)")
    add_measuring(parser)
    add_out(parser, "receipt; the measurement is in storage")


def run(options: argparse.Namespace) -> int:
    """Run it if the store has none, and write the receipt, even after a failure."""
    die_with_snakemake()
    asked = read_model(options.spec, AskedSidecar)
    spec = asked.spec
    folder = Path("sidecars", slug(spec.model_id), spec.quant_tag, spec.digest())
    store = AttemptStore(options.storage_root / folder, "sidecar")
    taken = None if options.again else store.newest()
    if taken is None:
        opened_gates(options)()
        name = f"sidecar {spec.model_id} {spec.quant_tag}"
        progress = JobProgress(name)
        source = sources(options, asked)(progress.say)
        seen_in = store.begin()
        measurement = measure_sidecar(
            spec,
            source,
            seen_in,
            progress,
            provenance([options.spec]),
            options.storage_root / SERVER_FACTS,
        )
        taken = store.seal(measurement, measurement.measured_at)
        if measurement.error:
            tell(f"{name}: {measurement.error}")
        tell_failure(measurement)
    write_model(
        options.out, Receipt(**stamp([options.spec]), parts=(taken,), attempt=options.attempt)
    )
    return 0
