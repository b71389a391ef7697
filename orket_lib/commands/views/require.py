"""`orket require`: fail, with the reasons, if a verdict did not pass."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import read_json, read_model
from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.views.kpis import KpiGate
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.artifacts.views.regression import Regression
from orket_lib.commands._common import add_log
from orket_lib.config.loading.parse import parse
from orket_lib.preflight.gates import require_canary, require_measured, require_preflight
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.slugs import slugs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--canary", type=Path, help="verdict of the canary")
    add("--preflight", type=Path, help="verdict of the preflight")
    add("--kpi-gate", type=Path, help="verdict of the KPI gate")
    add("--regression", type=Path, help="comparison with the baselines")
    add("--matrix", type=Path, help="the resolved config (JSON), with --cells")
    add("--cells", type=Path, help="folder of the receipts of all cells")
    add("--batches", type=int, help="number of batches of tasks, if they are not asked at once")
    add("--receipts", type=Path, nargs="*", default=[], help="other receipts to check")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Pass, or refuse with the verdict's reasons."""
    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        require_canary(read_model(options.canary, CanaryVerdict))
    if options.cells:
        require_measured(_receipts(options))
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


def _receipts(options: argparse.Namespace) -> list[AnyReceipt]:
    """Return the receipts of all cells of the config, and the further ones.

    The paths are derived from the config: hundreds of them would exceed Windows' command line.
    """
    config = parse(read_json(options.matrix))
    rounds = ["", *(f"round-{number}" for number in range(2, config.rounds + 1))]
    if options.batches:
        rounds = ["", *(f"batch-{number}" for number in range(2, options.batches + 1))]
    cells = [
        options.cells / model / quant / part / "receipt.json"
        for model in slugs(config.models).values()
        for quant in config.quants
        for part in rounds
    ]
    return [read_model(path, AnyReceipt) for path in (*cells, *options.receipts)]
