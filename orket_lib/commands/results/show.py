"""`orket show`: print the result of a sweep again."""

from __future__ import annotations

import argparse

from orket_lib.commands._common import print_text
from orket_lib.commands._summaries import add_sweep, read_summary, summary_of
from orket_lib.commands.closing_message import (
    measured_at_picks,
    measured_line,
    print_summary,
    quants_lines,
)
from orket_lib.report.terminal import markdown_table

EXAMPLES = (
    "orket show",
    "orket show mine --md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sweep(parser)
    parser.add_argument(
        "--md", action="store_true", help="print the tables as Markdown, to paste them"
    )


def run(options: argparse.Namespace) -> int:
    """Print the table of quants and the recommendation."""
    path = summary_of(options.sweep)
    summary = read_summary(path)
    if options.md:
        print_text(markdown_table(summary))
        return 0
    report = path.with_name("sweep_report.html").as_posix()
    found = measured_at_picks(summary, path.parents[1])
    further = [*map(measured_line, found), *quants_lines(summary, path.parents[1])]
    print_summary(summary, report, further, found)
    return 0
