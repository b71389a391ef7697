"""`orket canary-verdict`: hold the canary's measurement against its thresholds."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_out, stamp


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--policy", type=Path, required=True, help="thresholds (JSON)")
    parser.add_argument(
        "--measurement", type=Path, help="the canary's measurement; left out when it is off"
    )
    add_out(parser, "the verdict; written whether it passes or not")


def run(options: argparse.Namespace) -> int:
    """Judge and write the verdict."""
    from orket_lib.analysis.canary import judge_canary
    from orket_lib.artifacts.canary import CanaryMeasurement, CanaryPolicy, CanaryVerdict
    from orket_lib.artifacts.io import read_model, write_model

    policy = read_model(options.policy, CanaryPolicy)
    if options.measurement is None:
        verdict = CanaryVerdict(
            **stamp([options.policy]),
            passed=True,
            failed_reasons=(),
            explanations=(),
            policy=policy,
            figures=None,
            measured_at=None,
            boot_id=None,
            model_ids=(),
            quant_tags=(),
        )
    else:
        measurement = read_model(options.measurement, CanaryMeasurement)
        figures, failures = judge_canary(measurement, policy)
        verdict = CanaryVerdict(
            **stamp([options.measurement, options.policy]),
            passed=not failures,
            failed_reasons=[reason for reason, _ in failures],
            explanations=[text for _, text in failures],
            policy=policy,
            figures=figures,
            measured_at=measurement.measured_at,
            boot_id=measurement.boot_id,
            model_ids=(measurement.spec.model_id,),
            quant_tags=(measurement.spec.quant_tag,),
        )
    write_model(options.out, verdict)
    return 0
