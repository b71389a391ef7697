"""`orket canary-verdict`: judge the canary runs by their thresholds."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.canary import judge_canary
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryPolicy, CanaryVerdict
from orket_lib.artifacts.views.receipt import CanaryReceipt
from orket_lib.commands._common import add_out, stamp
from orket_lib.stores.attempts import read_taken

EXAMPLES = ("orket canary-verdict --policy canary.json --receipt receipt.json --out verdict.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--policy", type=Path, required=True, help="thresholds (JSON)")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt of the canary runs")
    add_out(parser, "verdict; written even if it fails")


def run(options: argparse.Namespace) -> int:
    """Judge, and write the verdict."""
    policy = read_model(options.policy, CanaryPolicy)
    parts = read_model(options.receipt, CanaryReceipt).parts
    measurements = [read_taken(part, CanaryMeasurement) for part in parts]
    judged = judge_canary(measurements, policy) if measurements else None
    failures = judged.failures if judged else ()
    # The oldest one decides whether the canary is still fresh.
    oldest = min(measurements, key=lambda item: item.measured_at, default=None)
    verdict = CanaryVerdict(
        **stamp([options.receipt, options.policy]),
        passed=not failures,
        failed_reasons=[reason for reason, _ in failures],
        explanations=[text for _, text in failures],
        quality_only=bool(judged and judged.only_latency) and policy.on_latency == "quality_only",
        policy=policy,
        figures=judged.figures if judged else None,
        measured_at=oldest.measured_at if oldest else None,
        boot_id=oldest.boot_id if oldest else None,
        model_ids=[item.spec.model_id for item in measurements],
        quant_tags=[item.spec.quant_tag for item in measurements],
    )
    write_model(options.out, verdict)
    return 0
