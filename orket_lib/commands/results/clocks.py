"""`orket clocks`: compare the decode rate by the server's clock with ours."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from orket_lib.analysis.clocks import clock_agreement
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._common import print_json
from orket_lib.commands._reports import reports_of
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = ("orket clocks --summary results/mine/quant_sweep/sweep_summary.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the decode rate of each measured cell by both clocks."""
    summary = read_model(options.summary, Summary)
    reports = [
        report
        for session in summary.sessions
        for row in session.per_quant
        for report in reports_of(row)
    ]
    found = [agreement for report in reports if (agreement := clock_agreement(report))]
    if not found:
        raise ArtifactError(f"{options.summary}: no probe has both clocks")
    if options.json:
        print_json({"cells": [dataclasses.asdict(item) for item in found]})
        return 0
    print("model and quant          probes  server t/s  client t/s  difference  worst probe")  # noqa: T201
    for item in found:
        print(  # noqa: T201
            f"{item.cell:<24} {item.probes:>6}  {item.server_tps:>10.1f}  {item.client_tps:>10.1f}"
            f"  {item.difference:>+10.2%}  {item.worst_difference:>+11.2%}"
        )
    return 0
