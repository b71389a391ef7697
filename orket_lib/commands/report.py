"""`orket report`: make the operator report from a summary."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orket_lib.commands._common import add_log, stamp


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--out-md", type=Path, required=True, help="the report")
    parser.add_argument("--out-scatter", type=Path, required=True, help="its points as JSON")
    parser.add_argument(
        "--out-plot", type=Path, help="its picture as PNG (default: plots/frontier.png beside it)"
    )
    parser.add_argument("--out-html", type=Path, help="the report as one HTML page")
    parser.add_argument("--out-table", type=Path, help="its rows as CSV, for a spreadsheet")
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


def run(options: argparse.Namespace) -> int:
    """Read, draw, write."""
    from orket_lib.artifacts.context_ceiling import ContextCeiling
    from orket_lib.artifacts.io import read_model, write_model, write_text
    from orket_lib.artifacts.scatter import Scatter
    from orket_lib.artifacts.summary import Summary
    from orket_lib.artifacts.thermal_profile import ThermalProfile
    from orket_lib.report.contexts import context_section
    from orket_lib.report.html import render_html
    from orket_lib.report.markdown import Plot, render_markdown
    from orket_lib.report.plots import plot_frontier
    from orket_lib.report.scatter import scatter_points
    from orket_lib.report.table import summary_table
    from orket_lib.report.thermal import thermal_section

    summary = read_model(options.summary, Summary)
    include_invalid = options.include_invalid or summary.matrix.get("include_invalid", False)
    picture = options.out_plot or options.out_md.parent / "plots" / "frontier.png"
    plot_frontier(summary, picture, include_invalid)
    plot = Plot("Quality against size and speed", _from_report(options, picture))
    contexts = [
        context_section(read_model(path, ContextCeiling), _picture_of(options, path))
        for path in options.context
    ]
    thermal = [
        thermal_section(read_model(path, ThermalProfile), _picture_of(options, path))
        for path in options.thermal
    ]
    markdown = render_markdown(summary, [plot], include_invalid, contexts, thermal)
    write_text(options.out_md, markdown)
    if options.out_html:
        write_text(options.out_html, render_html(markdown, options.out_md.parent))
    scatter = Scatter(
        **stamp([options.summary], summary.provenance.ref, summary.provenance.config_sha256),
        execution_lane=summary.execution_lane,
        vram_profile=summary.vram_profile,
        hardware_fingerprint=summary.hardware_fingerprint,
        source_summary=options.summary.as_posix(),
        include_invalid=include_invalid,
        points=scatter_points(summary, include_invalid),
    )
    write_model(options.out_scatter, scatter)
    if options.out_table:
        write_text(
            options.out_table, summary_table(summary).to_csv(index=False, lineterminator="\n")
        )
    return 0


def _picture_of(options: argparse.Namespace, artifact: Path) -> str | None:
    """Return where the picture of an artifact lies, seen from the report; None without one."""
    picture = artifact.with_suffix(".png")
    return _from_report(options, picture) if picture.is_file() else None


def _from_report(options: argparse.Namespace, path: Path) -> str:
    return Path(os.path.relpath(path, options.out_md.parent)).as_posix()
