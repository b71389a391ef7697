"""`orket kpi-gate`: hold a sweep's KPIs against a policy."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_log, print_json, stamp, tell

_LIMITS = (
    "max_missing_telemetry_rate",
    "max_polluted_run_rate",
    "min_frontier_success_rate",
    "min_determinism_rate",
)
_POLICY_SAID_NO = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--policy", type=Path, help="limits (JSON); the strict defaults otherwise")
    for name in _LIMITS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=float, metavar="RATE", help="wins over the policy"
        )
    parser.add_argument("--out", type=Path, help="the verdict; without it, it is printed")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "--verdict-only", action="store_true", help="exit 0 whatever the verdict is"
    )
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Judge, write, and name the figures that fail."""
    from orket_lib.analysis.kpis import gate_failures
    from orket_lib.artifacts.io import parse_model, read_json, write_model
    from orket_lib.artifacts.views.kpi_gate import KpiGate, KpiPolicy
    from orket_lib.commands._summaries import read_summary

    summary = read_summary(options.summary)
    inputs = [options.summary]
    limits = {}
    if options.policy:
        inputs.append(options.policy)
        limits = read_json(options.policy)
    named = {name: value for name in _LIMITS if (value := getattr(options, name)) is not None}
    source = options.policy or "the command line"
    policy = parse_model(
        {**limits, **named} if isinstance(limits, dict) else limits, KpiPolicy, source
    )
    failures = gate_failures(summary.stability_kpis, policy)
    gate = KpiGate(
        **stamp(inputs, summary.provenance.ref, summary.provenance.config_sha256),
        execution_lane=summary.execution_lane,
        vram_profile=summary.vram_profile,
        hardware_fingerprint=summary.hardware_fingerprint,
        summary_path=options.summary.as_posix(),
        policy=policy,
        stability_kpis=summary.stability_kpis,
        verdict="FAIL" if failures else "PASS",
        failures=failures,
    )
    if options.out:
        write_model(options.out, gate)
    if options.json or not options.out:
        print_json(gate)
    for failure in failures:
        tell(f"KPI gate: {failure}")
    return _POLICY_SAID_NO if failures and not options.verdict_only else 0
