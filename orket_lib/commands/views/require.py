"""`orket require`: fail, with the reasons, if a verdict did not pass."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_log
from orket_lib.vocabulary.errors import Refused

if TYPE_CHECKING:
    from orket_lib.artifacts.views.receipt import AnyReceipt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--canary", type=Path, help="verdict of the canary")
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight")
    parser.add_argument("--kpi-gate", type=Path, help="verdict of the KPI gate")
    parser.add_argument("--regression", type=Path, help="comparison with the baselines")
    parser.add_argument("--matrix", type=Path, help="the resolved config (JSON), with --cells")
    parser.add_argument("--cells", type=Path, help="folder of the receipts of all cells")
    parser.add_argument("--receipts", type=Path, nargs="*", default=[], help="further receipts")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Pass, or refuse with the verdict's reasons."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.measurements.canary import CanaryVerdict
    from orket_lib.artifacts.views.kpis import KpiGate
    from orket_lib.artifacts.views.preflight import Preflight
    from orket_lib.artifacts.views.regression import Regression
    from orket_lib.preflight.gates import require_canary, require_measured, require_preflight

    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        require_canary(read_model(options.canary, CanaryVerdict))
    if options.cells:
        require_measured(_receipts(options))
    if options.kpi_gate:
        gate = read_model(options.kpi_gate, KpiGate)
        if gate.verdict == "FAIL":
            failures = "\n".join(f"  {failure}" for failure in gate.failures)
            raise Refused(f"KPI gate failed, see {options.kpi_gate}:\n{failures}")
    if options.regression:
        regression = read_model(options.regression, Regression)
        if regression.verdict == "FAIL":
            failures = "\n".join(f"  {failure}" for failure in regression.failures)
            raise Refused(f"worse than the baselines, see {options.regression}:\n{failures}")
    return 0


def _receipts(options: argparse.Namespace) -> list[AnyReceipt]:
    """Return the receipts of all cells that the config names, and the further ones.

    The paths are derived, not listed: hundreds of cells would not fit a Windows command line.
    """
    from orket_lib.artifacts.io import read_json, read_model
    from orket_lib.artifacts.views.receipt import AnyReceipt
    from orket_lib.config.loading.parse import parse
    from orket_lib.vocabulary.slugs import slugs

    config = parse(read_json(options.matrix))
    rounds = ["", *(f"round-{number}" for number in range(2, config.rounds + 1))]
    cells = [
        options.cells / model / quant / part / "receipt.json"
        for model in slugs(config.models).values()
        for quant in config.quants
        for part in rounds
    ]
    return [read_model(path, AnyReceipt) for path in (*cells, *options.receipts)]
