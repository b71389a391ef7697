"""`orket export`: a sweep for other programs and for model cards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from orket_lib.analysis.rows.rounds import as_one
from orket_lib.artifacts.io import read_model, write_bytes, write_text
from orket_lib.artifacts.measurements.request import AskedTasks
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.printed.run_table import ExportedRun
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.commands._common import print_text, tell
from orket_lib.commands._reports import report_files, reports_of
from orket_lib.commands._summaries import add_sweep, read_summary, summary_of
from orket_lib.commands.closing_message import measured_at_picks
from orket_lib.report.exports.card import card_svg
from orket_lib.report.exports.model_index import model_index
from orket_lib.report.exports.runs import csv_text, parquet_bytes, run_rows
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import RunStatus

EXAMPLES = (
    "orket export --out runs.csv",
    "orket export mine --out runs.parquet",
    "orket export mine --format model-index",
    "orket export mine --out card.svg",
)

_FORMATS = ("csv", "parquet", "model-index", "card")
_BY_SUFFIX = {".parquet": "parquet", ".svg": "card", ".yaml": "model-index", ".yml": "model-index"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sweep(parser)
    add = parser.add_argument
    add(
        "--format",
        choices=_FORMATS,
        help="`csv`, `parquet`: a table of all runs; `model-index`: YAML for a model card; `card`: "
        "an SVG picture of the pick (default: as the ending of --out says, else csv)",
    )
    add("--out", type=Path, metavar="FILE", help="file to write (default: standard output)")
    add("--model-id", help="which model, for a model index or a card; needed if there are several")
    add("--answers", action="store_true", help="with the texts of the answers, in a table")
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Write or print what was asked for."""
    out: Path | None = options.out
    form = options.format or (_BY_SUFFIX.get(out.suffix, "csv") if out else "csv")
    if form == "parquet" and out is None:
        options.misused("a Parquet file can't be printed: name it with --out FILE")
    path = summary_of(options.sweep)
    summary, results = read_summary(path), path.parents[1]
    if form == "parquet" and out is not None:
        write_bytes(out, parquet_bytes(_runs(summary, results, options.model_id), options.answers))
    else:
        text = _text(form, summary, results, options)
        if out is None:
            print_text(text.rstrip("\n"))
            return 0
        write_text(out, text)
    tell(f"{out}: written")
    return 0


def _text(form: str, summary: Summary, results: Path, options: argparse.Namespace) -> str:
    if form == "csv":
        return csv_text(_runs(summary, results, options.model_id), options.answers)
    session = _session(summary, options.model_id)
    if form == "model-index":
        return model_index(session, summary, _tasks(results), _measured_at(session, summary))
    contexts = [it for it in measured_at_picks(summary, results) if isinstance(it, ContextCeiling)]
    own = next((it for it in contexts if it.model_id == session.model_id), None)
    return card_svg(session, summary, own, _measured_at(session, summary))


def _runs(summary: Summary, results: Path, model: str | None) -> Iterator[ExportedRun]:
    cells = results / "cells"
    sessions = [_session(summary, model)] if model else summary.sessions
    for row in (row for session in sessions for row in session.per_quant):
        there = all(path.is_file() for path in report_files(row, cells))
        reported = there or row.status is RunStatus.MEASURED
        yield from run_rows(summary, row, as_one(reports_of(row, cells)) if reported else None)


def _session(summary: Summary, named: str | None) -> ModelSession:
    known = [session.model_id for session in summary.sessions]
    if named is None and len(known) == 1:
        return summary.sessions[0]
    if named not in known:
        asked = "name one model (--model-id)" if named is None else f"--model-id {named}: not there"
        raise ArtifactError(f"{asked}; this sweep has {', '.join(known) or 'no model'}")
    return summary.sessions[known.index(named)]


def _tasks(results: Path) -> TaskSelection | None:
    path = results / "policy" / "tasks.json"
    return read_model(path, AskedTasks).tasks if path.is_file() else None


def _measured_at(session: ModelSession, summary: Summary) -> str:
    """Return the last day on which the model was measured."""
    taken = [part.measured_at for row in session.per_quant for part in row.parts]
    return max(taken, default=summary.generated_at)[:10]
