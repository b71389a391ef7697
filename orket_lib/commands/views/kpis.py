"""`orket kpis`: make the KPI report from a summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.kpis import KpiReport
from orket_lib.commands._common import add_out, stamp_like
from orket_lib.commands._summaries import read_summary

EXAMPLES = ("orket kpis --summary sweep_summary.json --out kpis.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    add_out(parser, "KPI report")


def run(options: argparse.Namespace) -> int:
    """Read, extract, write."""
    summary = read_summary(options.summary)
    report = KpiReport(
        **stamp_like(summary, [options.summary]),
        summary_path=options.summary.as_posix(),
        stability_kpis=summary.stability_kpis,
    )
    write_model(options.out, report)
    return 0
