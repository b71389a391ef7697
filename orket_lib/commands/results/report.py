"""`orket report`: write the report of a summary."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orket_lib.analysis.wants.answer import answers
from orket_lib.artifacts.io import read_model, write_model, write_text
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextQuants
from orket_lib.artifacts.views.scatter import Scatter
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.artifacts.views.verdict import SweepWants
from orket_lib.commands._common import add_log, stamp_like
from orket_lib.commands._reports import refuse_replaced
from orket_lib.commands._summaries import read_summary
from orket_lib.commands.results._flips import flips_of
from orket_lib.report.exports.rows import scatter_points, summary_table
from orket_lib.report.markdown import Plot, render_markdown
from orket_lib.report.page.page import render_page
from orket_lib.report.plots.fidelity import plot_fidelity
from orket_lib.report.plots.frontier import plot_frontier
from orket_lib.report.sections.fidelity import fidelity_section

_FIDELITY = "fidelity.png"  # next to the frontier plot


EXAMPLES = ("orket report --summary results/mine/quant_sweep/sweep_summary.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--summary", type=Path, required=True, help="sweep_summary.json")
    add("--out-md", type=Path, help="report as Markdown")
    add("--out-html", type=Path, help="report as one HTML page")
    add("--out-scatter", type=Path, help="points of the scatter plot as JSON")
    add("--out-table", type=Path, help="rows as CSV")
    add(
        "--out-wants",
        type=Path,
        help="what meets the config's wants, and what nearly does, as JSON",
    )
    add(
        "--out-plot",
        type=Path,
        help="frontier plot as PNG (default: plots/frontier.png next to the report), with "
        f"{_FIDELITY} next to it",
    )
    add("--context", type=Path, nargs="+", default=[], metavar="FILE", help="context_ceiling.json")
    text = "context_quants.json"
    add("--context-quants", type=Path, nargs="+", default=[], metavar="FILE", help=text)
    add("--thermal", type=Path, nargs="+", default=[], metavar="FILE", help="thermal_profile.json")
    add("--cells", type=Path, help="the sweep's cells/, to show in the page what breaks")
    add("--include-invalid", action="store_true", help="use rows that are not valid, too")
    add_log(parser)
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Read the summary and write the outputs that were asked for."""
    outs = (options.out_md, options.out_html, options.out_scatter, options.out_table)
    if not any((*outs, options.out_wants, options.out_plot)):
        options.misused("nothing to write: give --out-md or another --out option")
    summary = read_summary(options.summary)
    refuse_replaced(summary)
    include_invalid = options.include_invalid or summary.matrix.get("include_invalid", False)
    contexts = [read_model(path, ContextCeiling) for path in options.context]
    quants = [read_model(path, ContextQuants) for path in options.context_quants]
    thermal = [read_model(path, ThermalProfile) for path in options.thermal]
    picture = options.out_plot
    if options.out_md:
        picture = picture or options.out_md.parent / "plots" / "frontier.png"
        plots = _plots(summary, options.out_md.parent, picture)
        further = [it.recommendation for it in contexts] + [it.recommendation for it in thermal]
        further += [f"{it.model_id}: {line}" for it in quants for line in it.conclusions]
        text = render_markdown(summary, plots, include_invalid, further, contexts)
        write_text(options.out_md, text)
    if picture:
        plot_frontier(summary, picture, include_invalid)
        plot_fidelity(summary, picture.with_name(_FIDELITY))
    if options.out_html:
        flips = list(flips_of(summary, options.cells)) if options.cells else []
        write_text(
            options.out_html,
            render_page(summary, include_invalid, contexts, thermal, flips, quants),
        )
    if options.out_scatter:
        write_model(options.out_scatter, _scatter(options.summary, summary, include_invalid))
    if options.out_table:
        write_text(options.out_table, summary_table(summary))
    if options.out_wants:
        inputs = [options.summary, *options.context]
        wants = SweepWants(
            **stamp_like(summary, inputs),
            source_summary=options.summary.as_posix(),
            models=answers(summary, contexts),
        )
        write_model(options.out_wants, wants)
    return 0


def _plots(summary: Summary, folder: Path, picture: Path) -> list[Plot]:
    """Return the plots of the report; their paths are relative to its folder."""
    plots = [Plot("Quality against size and speed", _seen_from(folder, picture))]
    if any(map(fidelity_section, summary.sessions)):
        other = picture.with_name(_FIDELITY)
        plots.append(Plot("Fidelity against size", _seen_from(folder, other)))
    return plots


def _scatter(path: Path, summary: Summary, include_invalid: bool) -> Scatter:
    from orket_lib.artifacts.views.scatter import Scatter

    return Scatter(
        **stamp_like(summary, [path]),
        source_summary=path.as_posix(),
        include_invalid=include_invalid,
        points=scatter_points(summary, include_invalid),
    )


def _seen_from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
