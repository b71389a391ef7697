"""`orket show`: print the result of a sweep again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from orket_lib.analysis.wants.answer import answers, wants_of_config
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._common import print_text, tell
from orket_lib.commands._summaries import add_sweep, read_summary, summary_of
from orket_lib.commands._wants import add_want, read_wants
from orket_lib.commands.closing_message import (
    measured_at_picks,
    measured_line,
    print_summary,
    quants_lines,
)
from orket_lib.report.formatting import escaped
from orket_lib.report.terminal import markdown_table
from orket_lib.vocabulary.statuses import WantName

EXAMPLES = (
    "orket show",
    "orket show mine --md",
    "orket show mine --want decode_tps=30 --want memory_gib=16",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sweep(parser)
    parser.add_argument(
        "--md", action="store_true", help="print the tables as Markdown, to paste them"
    )
    add_want(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table of quants and the recommendation."""
    path = summary_of(options.sweep)
    summary = read_summary(path)
    found = measured_at_picks(summary, path.parents[1])
    if options.want:
        contexts = [it for it in found if isinstance(it, ContextCeiling)]
        _show_wants(summary, contexts, read_wants(options.want), options.md)
        return 0
    if options.md:
        print_text(markdown_table(summary))
        return 0
    report = path.with_name("sweep_report.html").as_posix()
    further = [*map(measured_line, found), *quants_lines(summary, path.parents[1])]
    print_summary(summary, report, further, found)
    return 0


def _show_wants(
    summary: Summary,
    contexts: Sequence[ContextCeiling],
    wants: Mapping[WantName, float],
    markdown: bool,
) -> None:
    """Print what meets other wants than the config's, from what was measured."""
    for found in answers(summary, contexts, {**wants_of_config(summary), **wants}):
        lines = [found.model_id, *found.sentences]
        print_text("\n".join(f"- {escaped(it)}" for it in lines) if markdown else "\n".join(lines))
    tell(
        "for the recommendation and the report by these, add the same --want to the command of the "
        "sweep: what is measured is kept"
    )
