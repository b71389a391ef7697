"""`orket report`: write the report of a summary."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model, write_text
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.scatter import Scatter
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.commands._common import add_log, stamp_like
from orket_lib.commands._reports import refuse_replaced
from orket_lib.commands._summaries import read_summary
from orket_lib.report.exports import scatter_points, summary_table
from orket_lib.report.html import render_html
from orket_lib.report.markdown import Plot, render_markdown
from orket_lib.report.plots.fidelity import plot_fidelity
from orket_lib.report.plots.frontier import plot_frontier
from orket_lib.report.sections.context import context_section
from orket_lib.report.sections.fidelity import fidelity_section
from orket_lib.report.sections.thermal import thermal_section

_FIDELITY = "fidelity.png"  # next to the frontier plot


EXAMPLES = ("orket report --summary results/mine/quant_sweep/sweep_summary.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--summary", type=Path, required=True, help="sweep_summary.json")
    add("--out-md", type=Path, help="report as Markdown")
    add("--out-html", type=Path, help="report as one HTML page, pictures included")
    add("--out-scatter", type=Path, help="points of the scatter plot as JSON")
    add("--out-table", type=Path, help="rows as CSV")
    add(
        "--out-plot",
        type=Path,
        help="frontier plot as PNG (default: plots/frontier.png next to the report), with "
        f"{_FIDELITY} beside it",
    )
    add("--context", type=Path, nargs="+", default=[], metavar="FILE", help="context_ceiling.json")
    add("--thermal", type=Path, nargs="+", default=[], metavar="FILE", help="thermal_profile.json")
    add("--include-invalid", action="store_true", help="use rows that are not valid, too")
    add_log(parser)
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Read the summary and write the outputs that were asked for."""
    page = options.out_md or options.out_html
    if not (page or options.out_scatter or options.out_table or options.out_plot):
        options.misused("nothing to write: give --out-md or another --out option")
    summary = read_summary(options.summary)
    refuse_replaced(summary)
    include_invalid = options.include_invalid or summary.matrix.get("include_invalid", False)
    if page or options.out_plot:
        picture = options.out_plot or page.parent / "plots" / "frontier.png"
        plot_frontier(summary, picture, include_invalid)
        plot_fidelity(summary, picture.with_name(_FIDELITY))
    if page:
        _write_report(options, summary, include_invalid, page.parent, picture)
    if options.out_scatter:
        write_model(options.out_scatter, _scatter(options.summary, summary, include_invalid))
    if options.out_table:
        write_text(options.out_table, summary_table(summary))
    return 0


def _write_report(
    options: argparse.Namespace,
    summary: Summary,
    include_invalid: bool,
    folder: Path,
    picture: Path,
) -> None:
    """Write the report as Markdown, HTML, or both. Its links are relative to `folder`."""
    plots = [Plot("Quality against size and speed", _seen_from(folder, picture))]
    if any(map(fidelity_section, summary.sessions)):
        other = picture.with_name(_FIDELITY)
        plots.append(Plot("Fidelity against size", _seen_from(folder, other)))
    markdown = render_markdown(
        summary,
        plots,
        include_invalid,
        [
            context_section(read_model(path, ContextCeiling), _picture_of(path, folder))
            for path in options.context
        ],
        [
            thermal_section(read_model(path, ThermalProfile), _picture_of(path, folder))
            for path in options.thermal
        ],
    )
    if options.out_md:
        write_text(options.out_md, markdown)
    if options.out_html:
        write_text(options.out_html, render_html(markdown, folder))


def _scatter(path: Path, summary: Summary, include_invalid: bool) -> Scatter:
    from orket_lib.artifacts.views.scatter import Scatter

    return Scatter(
        **stamp_like(summary, [path]),
        source_summary=path.as_posix(),
        include_invalid=include_invalid,
        points=scatter_points(summary, include_invalid),
    )


def _picture_of(artifact: Path, folder: Path) -> str | None:
    """Return the path of an artifact's picture relative to the report; None without one."""
    picture = artifact.with_suffix(".png")
    return _seen_from(folder, picture) if picture.is_file() else None


def _seen_from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
