"""`orket report`: make the operator report from a summary."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_log, stamp

if TYPE_CHECKING:
    from orket_lib.artifacts.views.scatter import Scatter
    from orket_lib.artifacts.views.summary import Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--out-md", type=Path, help="the report")
    parser.add_argument("--out-html", type=Path, help="the report as one HTML page")
    parser.add_argument("--out-scatter", type=Path, help="its points as JSON")
    parser.add_argument("--out-table", type=Path, help="its rows as CSV, for a spreadsheet")
    parser.add_argument(
        "--out-plot",
        type=Path,
        help="its picture as PNG (default: plots/frontier.png next to the report)",
    )
    parser.add_argument(
        "--context", type=Path, nargs="+", default=[], metavar="FILE", help="context_ceiling.json"
    )
    parser.add_argument(
        "--thermal", type=Path, nargs="+", default=[], metavar="FILE", help="thermal_profile.json"
    )
    parser.add_argument(
        "--include-invalid", action="store_true", help="show a frontier with invalid rows, too"
    )
    add_log(parser)
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Read, and make whatever is asked for."""
    from orket_lib.artifacts.io import write_model, write_text
    from orket_lib.commands._reports import refuse_replaced
    from orket_lib.commands._summaries import read_summary
    from orket_lib.report.exports import summary_table
    from orket_lib.report.plots.frontier import plot_frontier

    page = options.out_md or options.out_html
    if not (page or options.out_scatter or options.out_table or options.out_plot):
        options.misused("nothing to make: name --out-md or another of the --out options")
    summary = read_summary(options.summary)
    refuse_replaced(summary)
    include_invalid = options.include_invalid or summary.matrix.get("include_invalid", False)
    if page or options.out_plot:
        picture = options.out_plot or page.parent / "plots" / "frontier.png"
        plot_frontier(summary, picture, include_invalid)
    if page:
        _write_report(options, summary, include_invalid, page.parent, picture)
    if options.out_scatter:
        write_model(options.out_scatter, _scatter(options.summary, summary, include_invalid))
    if options.out_table:
        table = summary_table(summary).to_csv(index=False, lineterminator="\n")
        write_text(options.out_table, table)
    return 0


def _write_report(
    options: argparse.Namespace,
    summary: Summary,
    include_invalid: bool,
    folder: Path,
    picture: Path,
) -> None:
    """Write the report as Markdown, as a page, or both; what it links is seen from `folder`."""
    from orket_lib.artifacts.io import read_model, write_text
    from orket_lib.artifacts.views.context_ceiling import ContextCeiling
    from orket_lib.artifacts.views.thermal_profile import ThermalProfile
    from orket_lib.report.html import render_html
    from orket_lib.report.markdown import Plot, render_markdown
    from orket_lib.report.sections.context import context_section
    from orket_lib.report.sections.thermal import thermal_section

    markdown = render_markdown(
        summary,
        [Plot("Quality against size and speed", _seen_from(folder, picture))],
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
    from orket_lib.report.exports import scatter_points

    return Scatter(
        **stamp([path], summary.provenance.ref, summary.provenance.config_sha256),
        execution_lane=summary.execution_lane,
        vram_profile=summary.vram_profile,
        hardware_fingerprint=summary.hardware_fingerprint,
        source_summary=path.as_posix(),
        include_invalid=include_invalid,
        points=scatter_points(summary, include_invalid),
    )


def _picture_of(artifact: Path, folder: Path) -> str | None:
    """Return where the picture of an artifact lies, seen from the report; None without one."""
    picture = artifact.with_suffix(".png")
    return _seen_from(folder, picture) if picture.is_file() else None


def _seen_from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
