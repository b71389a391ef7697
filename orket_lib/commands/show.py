"""`orket show`: print the result of a sweep again."""

from __future__ import annotations

import argparse
import os
import sys

from orket_lib.commands._common import print_text
from orket_lib.commands._summaries import read_summary
from orket_lib.commands._sweeps import summary_of
from orket_lib.commands.closing_message import terminal_width
from orket_lib.report.terminal import markdown_table, terminal_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("sweep", nargs="?", help="name of a sweep, or its config; default: the last one")
    add("--md", action="store_true", help="print the tables as Markdown, to paste them")


def run(options: argparse.Namespace) -> int:
    """Print the table of quants and the recommendation."""
    path = summary_of(options.sweep)
    summary = read_summary(path)
    if options.md:
        print_text(markdown_table(summary))
        return 0
    report = path.with_name("sweep_report.md").as_posix()
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = terminal_summary(summary, report, terminal_width(sys.stdout), colour=colour)
    print(text, end="")  # noqa: T201 - visible already, and with our own colours
    return 0
