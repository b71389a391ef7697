"""`orket sidecar-view`: write a sweep's view of a hardware sidecar."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.sidecar.parse import sidecar_fields
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.sidecar import SidecarMeasurement, SidecarReport
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.receipt import Receipt
from orket_lib.commands._common import add_out, stamp
from orket_lib.stores.attempts import read_taken
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = (
    "orket sidecar-view --receipt receipt.json --settings policy/sidecar.json --out view.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--receipt", type=Path, required=True, help="receipt of the sidecar")
    parser.add_argument("--settings", type=Path, required=True, help="labels (JSON)")
    add_out(parser, "view")


def run(options: argparse.Namespace) -> int:
    """Read, parse, write."""
    parts = read_model(options.receipt, Receipt).parts
    if len(parts) != 1:
        raise ArtifactError(f"{options.receipt}: a sidecar has one measurement, not {len(parts)}")
    (taken,) = parts
    measurement = read_taken(taken, SidecarMeasurement)
    settings = read_model(options.settings, RowSettings)
    view = SidecarReport.of(
        **stamp([Path(taken.path), options.settings], settings.provenance_ref),
        execution_lane=settings.execution_lane,
        vram_profile=settings.vram_profile,
        **sidecar_fields(measurement),
    )
    write_model(options.out, view)
    return 0
