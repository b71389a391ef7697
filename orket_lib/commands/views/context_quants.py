"""`orket context-quants`: compare the contexts of several quants of a model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.context.quants import Asked, baseline_of, conclusions, quant_contexts
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.context_ceiling import ContextQuants, NotTried
from orket_lib.commands._common import add_out, stamp_like
from orket_lib.commands.views._context_summaries import Given, one_pair, read_summaries
from orket_lib.commands.views.context_ceiling import add_contexts, contexts_of, thresholds_of
from orket_lib.report.plots.context_quants import plot_quants

EXAMPLES = (
    "orket context-quants --contexts 1024 2048 --folders contexts/nano/F16 contexts/nano/Q4_K_M "
    "--out context_quants.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    text = "folders with the context_<n>.json of each quant, the largest quant first"
    add("--folders", type=Path, nargs="+", required=True, metavar="FOLDER", help=text)
    add_contexts(parser)
    add("--out-plot", type=Path, help="plot as PNG")
    add_out(parser, "comparison")


def run(options: argparse.Namespace) -> int:
    """Read, compare, write, draw."""
    contexts, thresholds = contexts_of(options), thresholds_of(options)
    templates = [f"{folder.as_posix()}/context_{{context}}.json" for folder in options.folders]
    given = [read_summaries(contexts, template) for template in templates]
    quants = [_asked(of_quant) for of_quant in given]
    baseline = baseline_of(quants)
    others = max(1, len(quants) - 1)
    found = [quant_contexts(quant, baseline, thresholds, others) for quant in quants]
    name = baseline.quant if baseline else None
    first = given[0][0]
    artifact = ContextQuants(
        **stamp_like(first.labels, [one.path for of_quant in given for one in of_quant]),
        model_id=one_pair(given[0], None, None)[0],
        sweep=first.sweep,
        baseline_quant=name,
        thresholds=thresholds,
        conclusions=conclusions(name, found),
        quants=tuple(found),
    )
    write_model(options.out, artifact)
    if options.out_plot:
        plot_quants(artifact, options.out_plot)
    return 0


def _asked(given: Sequence[Given]) -> Asked:
    pair = one_pair(given, None, None)
    return Asked(
        pair[1],
        [one.figures[pair] for one in given if one.left_out is None],
        [NotTried(context=it.context, reason=it.left_out[2]) for it in given if it.left_out],
    )
