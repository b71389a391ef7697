"""`orket compare`: what differs between two sweeps."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.sweeps_compared import ComparedSweep, compare_sweeps
from orket_lib.artifacts.io import read_model, write_text
from orket_lib.artifacts.views.row import Row
from orket_lib.commands._common import print_json, print_text
from orket_lib.commands._summaries import SWEEP, read_summary, summary_of
from orket_lib.report.history import sweeps_text
from orket_lib.report.page.comparison import render_comparison

EXAMPLES = ("orket compare mine other", "orket compare mine other --html compared.html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("a", metavar="A", help=SWEEP)
    parser.add_argument("b", metavar="B", help="the same")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what differs from A to B."""
    found = compare_sweeps(_sweep(options.a), _sweep(options.b))
    if options.html:
        write_text(options.html, render_comparison(found))
    if options.json:
        print_json(found)
    else:
        print_text(sweeps_text(found))
    return 0


def _sweep(named: str) -> ComparedSweep:
    path = summary_of(named)
    summary = read_summary(path)
    known = {f"{it.model_id} {row.quant_tag}" for it in summary.sessions for row in it.per_quant}
    rows = [read_model(file, Row) for file in sorted(Path(path.parent).glob("*/*.json"))]
    scores = {f"{row.metrics.model_id} {row.metrics.quant_tag}": row.task_scores for row in rows}
    # The folder may hold rows of quants that an earlier config had.
    return ComparedSweep(named, summary, {name: scores[name] for name in known & scores.keys()})
