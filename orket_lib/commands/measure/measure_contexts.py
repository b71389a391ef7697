"""`orket measure-contexts`: measure a quant at several context lengths."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from orket_lib.analysis.active_time import active_seconds
from orket_lib.analysis.context.ceiling import passes
from orket_lib.analysis.context.figures import of_context_row
from orket_lib.analysis.context.rows import context_row
from orket_lib.analysis.context.search import AmongQuants, next_context, why_not_tried
from orket_lib.artifacts.base import Labelled
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.request import ServableCell, ServableCells
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.context_summary import ContextRow, ContextSettings, ContextSummary
from orket_lib.artifacts.views.frontier import UNKNOWN, FrontierExplorer
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.receipt import CellReceipt, Receipt
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.commands._common import add_log, provenance, stamp, stamp_like, tell
from orket_lib.commands.measure._budget import add_budget, budget_of
from orket_lib.commands.measure._chosen_cell import cell_named, chosen_cell
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    opened_gates,
    sources,
)
from orket_lib.commands.views._context_summaries import read_summaries
from orket_lib.measure.context import ContextMeasurement
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

EXAMPLES = (
    "orket measure-contexts --frontier frontier_explorer.json "
    "--cells receipts.json --policy context.json --settings contexts.json --needs needs.json "
    "--model nano --out-folder contexts",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--frontier", type=Path, help="frontier_explorer.json, which recommends a quant")
    add("--quant", help="quant to measure, without a frontier")
    add("--row", type=Path, help="row of that quant, for its labels")
    add("--sweep", help="name of the sweep, as a label, without a frontier")
    text = "receipts of the context sweeps of several quants, the largest first"
    add("--beside", type=Path, nargs="*", metavar="RECEIPT", help=text)
    add("--cells", type=Path, required=True, help="policy/cells.json of the sweep")
    add("--policy", type=Path, required=True, help="policy/context.json: contexts and limits")
    add("--settings", type=Path, required=True, help="row policy and labels (JSON)")
    add("--needs", type=Path, required=True, help="what the sweep needs (JSON)")
    add("--model", required=True, help="folder name of the model")
    add_measuring(parser)
    add_budget(parser)
    add("--receipt", type=Path, help="receipt to write")
    add("--out-folder", type=Path, required=True, help="folder for context_<n>.json")
    add_log(parser)
    parser.set_defaults(misused=parser.error)


@dataclass(frozen=True)
class _Asked:
    """The inputs of the command; the frontier or the row has the labels."""

    options: argparse.Namespace
    frontier: FrontierExplorer | None
    labelled: Labelled
    settings: ContextSettings
    labels: RowSettings

    def summary(
        self, context: int, cell: tuple[str, str], left_out: str | None, *rows: ContextRow
    ) -> ContextSummary:
        """Return the summary of a context, with the labels of the frontier or row.

        Args:
            context: Context length in tokens.
            cell: Model and quant.
            left_out: Why it was not tried; None if it was.
            rows: Its row, if it was tried.
        """
        options, frontier = self.options, self.frontier
        inputs = [options.frontier or options.row, options.policy, options.settings]
        inputs += [Path(part.path) for row in rows for part in row.metrics.parts]
        return ContextSummary(
            **stamp_like(self.labelled, inputs),
            model_id=cell[0],
            quant_tag=cell[1],
            sweep=frontier.sweep if frontier else options.sweep,
            context=context,
            status="not_tried" if left_out else "tried",
            status_reason=left_out,
            fill=self.settings.fill,
            rows=rows,
        )


def run(options: argparse.Namespace) -> int:
    """Measure the contexts that the search asks for, and write a summary for each context."""
    die_with_snakemake()
    if not options.frontier and not (options.quant and options.row):
        options.misused("--frontier, or --quant and --row, must be given")
    cells = read_model(options.cells, ServableCells)
    frontier = read_model(options.frontier, FrontierExplorer) if options.frontier else None
    asked = _Asked(
        options,
        frontier,
        frontier or read_model(options.row, Row),
        read_model(options.policy, ContextSettings),
        read_model(options.settings, RowSettings),
    )
    cell = (
        chosen_cell(frontier, cells, options.model, asked.settings.quant_tag)
        if frontier
        else cell_named(cells, options.model, options.quant)
    )
    receipts: list[CellReceipt] = []
    if isinstance(cell, Null):
        assert frontier is not None
        model_id = cells.quants_of(options.model)[0].model_id
        tell(f"contexts of {model_id}: {cell.reason}: nothing to measure")
        summaries = list(_nothing_chosen(asked, frontier, model_id, cell))
    else:
        summaries = _tried(asked, cell, receipts)
    for summary in summaries:
        write_model(options.out_folder / f"context_{summary.context}.json", summary)
    taken = Receipt(
        **stamp([options.frontier or options.row, options.cells, options.policy]),
        parts=tuple(part for receipt in receipts for part in receipt.parts),
        attempt=options.attempt,
        interrupted=tuple(why for receipt in receipts for why in receipt.interrupted),
        memory_limit_mib=min(filter(None, (it.memory_limit_mib for it in receipts)), default=None),
    )
    if options.receipt:
        write_model(options.receipt, taken)
    return 0


def _nothing_chosen(
    asked: _Asked, frontier: FrontierExplorer, model_id: str, why: Null
) -> Iterator[ContextSummary]:
    """Yield the summaries of a model without a recommended quant."""
    said = next(it.recommendation for it in frontier.sessions if it.model_id == model_id)
    for context in asked.settings.contexts:
        yield asked.summary(context, (model_id, UNKNOWN), f"{why.reason}: {said}")


def _tried(asked: _Asked, cell: ServableCell, receipts: list[CellReceipt]) -> list[ContextSummary]:
    """Return the summaries of all contexts, after measuring those that the search asks for.

    Args:
        asked: The inputs of the command.
        cell: Cell to measure.
        receipts: The receipt of each context is appended.
    """
    settings = asked.settings
    rows: dict[int, ContextRow] = {}
    passed: dict[int, bool] = {}
    beside = asked.options.beside or []
    among = _among_quants(asked, cell) if asked.options.beside is not None else None
    budget, per_token_s, beyond = budget_of(asked.options, beside), 0.0, None

    def following() -> int | None:
        if among is None or settings.search == "all":
            return next_context(settings.contexts, settings.search, passed)
        return among.next(passed)

    while (context := following()) is not None:
        measurement = ContextMeasurement(cell, settings, context, asked.options.storage_root)
        # A longer context takes at least as many times longer as it has more tokens.
        if budget and not measurement.measured:
            beyond = budget.why_not(per_token_s * context)
            if beyond:
                break
        receipt, report = _report(asked.options, measurement)
        if budget:
            budget = budget.after(active_seconds([report], budget.since))
            per_token_s = active_seconds([report]) / context
        receipts.append(receipt)
        path = receipt.parts[-1].path if receipt.parts else ""
        rows[context] = context_row(report, asked.labels, path)
        figures = of_context_row(context, rows[context], path)
        passed[context] = passes(figures, settings.thresholds)
    pair, why_not = (cell.model_id, cell.quant_tag), among.why_not if among else why_not_tried
    return [
        asked.summary(context, pair, None, rows[context])
        if context in rows
        else asked.summary(context, pair, beyond or why_not(context, passed))
        for context in settings.contexts
    ]


def _among_quants(asked: _Asked, cell: ServableCell) -> AmongQuants:
    """Return the search of a quant after those that are larger, by their summaries."""
    settings = asked.settings
    folders = [path.parent for path in asked.options.beside]
    larger = takewhile(lambda folder: folder.name != cell.quant_tag, folders)
    templates = [f"{folder.as_posix()}/context_{{context}}.json" for folder in larger]
    found = [
        [it for one in read_summaries(settings.contexts, template) for it in one.figures.values()]
        for template in templates
    ]
    return AmongQuants(settings.contexts, settings.thresholds, found)


def _report(
    options: argparse.Namespace, measurement: ContextMeasurement
) -> tuple[CellReceipt, RunReport]:
    """Measure what is missing at a context; return its receipt and report."""
    cell = measurement.cell
    name = f"{cell.model_id} {cell.quant_tag} at {measurement.context}"
    made_from = provenance([options.frontier or options.row, options.cells])
    progress = JobProgress(name)
    outcome = measurement.measure(
        sources(options, cell),
        read_model(options.needs, Needs),
        opened_gates(options),
        options.again is not None,
        progress,
        made_from,
    )
    receipt, report = measurement.report(outcome, made_from)
    if receipt.status is not RunStatus.MEASURED:
        tell(f"{name}: {receipt.status.value}: {receipt.status_reason}")
    return receipt, report
