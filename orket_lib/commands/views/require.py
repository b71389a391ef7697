"""`orket require`: fail, with the reasons, if a verdict did not pass."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.views.kpis import KpiGate
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.artifacts.views.regression import Regression
from orket_lib.commands._common import add_log
from orket_lib.commands._receipts import cell_receipts
from orket_lib.preflight.gates import require_canary, require_measured, require_preflight
from orket_lib.vocabulary.errors import Refused

EXAMPLES = ("orket require --canary results/mine/canary/verdict.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--canary", type=Path, help="verdict of the canary")
    add("--preflight", type=Path, help="verdict of the preflight")
    add("--kpi-gate", type=Path, help="verdict of the KPI gate")
    add("--regression", type=Path, help="comparison with the baselines")
    add("--cells", type=Path, help="list of the receipts of all cells (policy/receipts.json)")
    add("--receipts", type=Path, nargs="*", default=[], help="other receipts to check")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Pass, or refuse with the verdict's reasons."""
    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        require_canary(read_model(options.canary, CanaryVerdict))
    if options.cells:
        further = [read_model(path, AnyReceipt) for path in options.receipts]
        require_measured([*cell_receipts(options.cells), *further])
    verdicts: tuple[tuple[Path | None, type[KpiGate | Regression], str], ...] = (
        (options.kpi_gate, KpiGate, "KPI gate failed"),
        (options.regression, Regression, "worse than the baselines"),
    )
    for path, kind, what in verdicts:
        verdict = read_model(path, kind) if path else None
        if verdict and verdict.verdict == "FAIL":
            failures = "\n".join(f"  {failure}" for failure in verdict.failures)
            raise Refused(f"{what}, see {path}:\n{failures}")
    return 0
