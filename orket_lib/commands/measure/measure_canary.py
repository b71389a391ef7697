"""`orket measure-canary`: take the canary runs from the store, and measure those that are due."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.canary import CanaryMeasurement
from orket_lib.artifacts.measurements.request import AskedCanaries, AskedCanary
from orket_lib.artifacts.views.receipt import CanaryReceipt, TakenPart
from orket_lib.commands._common import add_out, provenance, stamp, tell
from orket_lib.commands._receipts import cell_receipts
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    require_preflight_of,
    sources,
    tasks_of,
)
from orket_lib.measure.canary import take_canary
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.preflight.gates import is_fresh
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.stores.attempts import AttemptStore, read_taken
from orket_lib.telemetry.fingerprint import boot_id
from orket_lib.vocabulary.clock import parse_time, utc_now

EXAMPLES = ("orket measure-canary --spec canary/spec.json --out canary/receipt.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--spec", type=Path, required=True, help="what to measure (JSON)")
    add_measuring(parser, canary=False)
    add(
        "--fresh",
        action="store_true",
        help="ignore stored runs that are too old or from an earlier boot",
    )
    add(
        "--closing",
        type=Path,
        help="list of the receipts of all cells (policy/receipts.json); ignore older runs",
    )
    add_out(parser, "receipt; the measurements are in storage")


def run(options: argparse.Namespace) -> int:
    """Take or measure each canary, and write the receipt, even after a failure."""
    die_with_snakemake()
    asked = read_model(options.spec, AskedCanaries)
    taken = [(canary, _taken(options, asked, canary)) for canary in asked.canaries]
    seen = [(canary, _read(part)) for canary, part in taken]
    failures = tuple(
        f"canary on {canary.spec.model_id} {canary.spec.quant_tag}: {measurement.failure}"
        for canary, measurement in seen
        if measurement.failure
    )
    # The oldest one decides whether the canaries are still fresh.
    oldest = min((it for _, it in seen), key=lambda it: it.measured_at, default=None)
    receipt = CanaryReceipt(
        **stamp([options.spec]),
        parts=tuple(part for _, part in taken),
        attempt=options.attempt,
        interrupted=failures,
        measured_at=oldest.measured_at if oldest else None,
        boot_id=oldest.boot_id if oldest else None,
    )
    write_model(options.out, receipt)
    for failure in failures:
        tell(failure)
    return 0


def _taken(options: argparse.Namespace, asked: AskedCanaries, canary: AskedCanary) -> TakenPart:
    """Return a stored canary run, after measuring it if there is none that fits."""
    spec, folder = canary.spec, options.storage_root / "canary" / canary.spec.digest()
    store = AttemptStore(folder / "closing" if options.closing else folder, "canary")
    began = utc_now()

    def stored() -> TakenPart | None:
        # With --again, only a run that another sweep has made meanwhile fits.
        found = next(_fitting(options, asked, store), None)
        return None if found and options.again and found.measured_at < began else found

    if found := stored():
        return found
    require_preflight_of(options)
    progress = JobProgress(f"canary {spec.model_id} {spec.quant_tag}")
    return take_canary(
        spec,
        sources(options, canary)(progress.say),
        tasks_of(Path(asked.bank), spec.tasks),
        store,
        stored,
        progress,
        provenance([options.spec]),
        options.storage_root / SERVER_FACTS,
    )


def _fitting(
    options: argparse.Namespace, asked: AskedCanaries, store: AttemptStore
) -> Iterator[TakenPart]:
    """Yield the stored canary runs that fit, newest first."""
    after = _newest_measurement(options.closing) if options.closing else None
    for part in store.all():
        measurement = _read(part)
        if measurement.failure:
            continue
        if after and parse_time(part.measured_at) < parse_time(after):
            return
        when = (measurement.measured_at, measurement.boot_id)
        # An older one may still be of this boot: on a cluster, the newest may be another node's.
        if options.fresh and not is_fresh(*when, asked.max_age_hours, utc_now(), boot_id()):
            continue
        yield part


def _newest_measurement(listed: Path) -> str | None:
    """Return the time of the newest measurement of the sweep's cells."""
    parts = [part for receipt in cell_receipts(listed) for part in receipt.parts]
    return max((part.measured_at for part in parts), default=None)


def _read(part: TakenPart) -> CanaryMeasurement:
    return read_taken(part, CanaryMeasurement)
