"""`orket frontier`: make the frontier artifact from a summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.frontier import explorer_sessions
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.frontier import UNKNOWN, FrontierExplorer
from orket_lib.commands._common import add_out, stamp_like
from orket_lib.commands._storage import add_kept_below
from orket_lib.commands._summaries import read_summary
from orket_lib.commands.results.history import keep

EXAMPLES = ("orket frontier --summary sweep_summary.json --out frontier.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--provenance-ref", help="who asked, as a label (default: the summary's)")
    add_kept_below(parser)
    add_out(parser, "frontier artifact")


def run(options: argparse.Namespace) -> int:
    """Read, extract, write."""

    summary = read_summary(options.summary)
    sessions = explorer_sessions(summary)
    artifact = FrontierExplorer(
        **stamp_like(summary, [options.summary], options.provenance_ref),
        model_id=sessions[0].model_id if sessions else UNKNOWN,
        quant_tag=(sessions[0].minimum_viable_quant or UNKNOWN) if sessions else UNKNOWN,
        sweep=summary.matrix.get("sweep"),
        include_invalid=any(s.efficiency_frontier.include_invalid for s in summary.sessions),
        sessions=sessions,
    )
    write_model(options.out, artifact)
    if options.storage_root:
        keep(options.storage_root, options.out)
    return 0
