"""`orket kpi-gate`: judge a sweep's KPIs by a policy."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.kpis import gate_failures
from orket_lib.artifacts.io import parse_model, read_json, write_model
from orket_lib.artifacts.views.kpis import KpiGate, KpiPolicy
from orket_lib.commands._common import add_log, print_json, stamp_like, tell
from orket_lib.commands._summaries import read_summary
from orket_lib.vocabulary.errors import Refused

_LIMITS = tuple(KpiPolicy.model_fields)


EXAMPLES = ("orket kpi-gate --summary sweep_summary.json --out gate.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--summary", type=Path, required=True, help="sweep_summary.json")
    add("--policy", type=Path, help="limits as JSON (default: the strict limits)")
    for name in _LIMITS:
        add(
            f"--{name.replace('_', '-')}",
            type=float,
            metavar="RATE",
            help="override this limit of the policy",
        )
    add(
        "--one-run",
        action="store_true",
        help="tasks were asked once on purpose: don't gate determinism, which needs two runs",
    )
    add("--out", type=Path, help="verdict to write; printed if not given")
    add("--json", action="store_true", help="print the verdict as JSON")
    add("--verdict-only", action="store_true", help="exit with 0 even if the verdict is FAIL")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Judge, write, and print the limits that failed."""
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
    failures = gate_failures(summary.stability_kpis, policy, options.one_run)
    gate = KpiGate(
        **stamp_like(summary, inputs),
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
    return Refused.exit_code if failures and not options.verdict_only else 0
