"""`orket measure-thermal`: measure the thermal series of the recommended quant."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from orket_lib.analysis.active_time import series_seconds
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.request import ServableCell, ServableCells
from orket_lib.artifacts.measurements.thermal_series import (
    ThermalSeries,
    ThermalSettings,
    ThermalSpec,
)
from orket_lib.artifacts.views.frontier import UNKNOWN, FrontierExplorer
from orket_lib.artifacts.views.receipt import Receipt, TakenPart
from orket_lib.commands._common import add_out, provenance, stamp, tell
from orket_lib.commands.measure._budget import add_budget, budget_of
from orket_lib.commands.measure._chosen_cell import chosen_cell
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    opened_gates,
    sources,
)
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.measure.thermal.series import ThermalMeasurement
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.stores.attempts import AttemptStore, read_taken
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.slugs import slug
from orket_lib.vocabulary.statuses import RunStatus

EXAMPLES = (
    "orket measure-thermal --frontier frontier_explorer.json "
    "--cells policy/receipts.json --settings policy/thermal.json --model nano --out receipt.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--frontier", type=Path, required=True, help="frontier_explorer.json")
    add("--cells", type=Path, required=True, help="policy/cells.json of the sweep")
    add("--settings", type=Path, required=True, help="policy/thermal.json of the sweep")
    add("--model", required=True, help="folder name of the model")
    add_measuring(parser)
    add_budget(parser)
    add("--contexts", type=Path, nargs="*", default=[], help="receipts of context sweeps")
    add("--receipt", type=Path, help="receipt to write")
    add_out(parser, "copy of the series; the measurement is in storage")


def run(options: argparse.Namespace) -> int:
    """Measure the series if storage has none, and write a copy, even after a failure."""
    cells = read_model(options.cells, ServableCells)
    settings = read_model(options.settings, ThermalSettings)
    frontier = read_model(options.frontier, FrontierExplorer)
    cell = chosen_cell(frontier, cells, options.model, settings.quant_tag)
    taken: tuple[TakenPart, ...] = ()
    beyond = None if isinstance(cell, Null) else _beyond_budget(options, cell, settings, frontier)
    if isinstance(cell, Null):
        series = _nothing(cells.quants_of(options.model)[0].model_id, cell.reason)
    elif beyond:
        series = _nothing(cell.model_id, beyond)
    else:
        found = _taken(options, cell, settings)
        if isinstance(found, Null):
            series = _nothing(cell.model_id, found.reason)
        else:
            taken = (found,)
            series = read_taken(found, ThermalSeries)
    write_model(options.out, series)
    receipt = Receipt(
        **stamp([options.frontier, options.cells, options.settings]),
        parts=taken,
        attempt=options.attempt,
        interrupted=(
            (f"thermal series {series.model_id}: {series.status_reason}",)
            if _may_pass(series.status)
            else ()
        ),
    )
    if options.receipt:
        write_model(options.receipt, receipt)
    if series.status is not RunStatus.MEASURED:
        tell(f"thermal series {series.model_id}: {series.status.value}: {series.status_reason}")
    return 0


def _taken(
    options: argparse.Namespace, cell: ServableCell, settings: ThermalSettings
) -> TakenPart | Null:
    """Return the stored series of a cell, after measuring it if there is none.

    Null on a machine that is too unsteady for times.
    """
    spec = ThermalSpec.of(cell, settings)
    again = options.again is not None
    if not again and (found := next(_stored(options, spec), None)):
        return found
    die_with_snakemake()
    if opened_gates(options)():
        return Null(Reason.CANARY_LATENCY.value)
    made_from = provenance([options.frontier, options.cells, options.settings])
    progress = JobProgress(f"thermal series {cell.model_id} {cell.quant_tag}")
    source = sources(options, cell)(progress.say)
    facts = options.storage_root / SERVER_FACTS
    store = _store(options, spec)
    return ThermalMeasurement(spec, source, store, progress, made_from, facts).run()


def _store(options: argparse.Namespace, spec: ThermalSpec) -> AttemptStore:
    folder = Path("thermal", slug(spec.model_id), spec.quant_tag, spec.digest())
    return AttemptStore(options.storage_root / folder, "series")


def _stored(options: argparse.Namespace, spec: ThermalSpec) -> Iterator[TakenPart]:
    """Yield the stored series that need not be tried again, newest first."""
    for part in _store(options, spec).all():
        if not _may_pass(read_taken(part, ThermalSeries).status):
            yield part


def _may_pass(status: RunStatus) -> bool:
    """Return whether a series ended by a failure that is not the model's."""
    return status in (RunStatus.CRASHED, RunStatus.INCOMPLETE)


def _beyond_budget(
    options: argparse.Namespace,
    cell: ServableCell,
    settings: ThermalSettings,
    frontier: FrontierExplorer,
) -> str | None:
    """Return why a series that is not stored does not fit into the budget; None if it does."""
    budget = budget_of(options, options.contexts)
    if budget is None or next(_stored(options, ThermalSpec.of(cell, settings)), None):
        return None
    rows = {row.quant_tag: row for it in frontier.sessions for row in it.quant_rows}
    return budget.why_not(series_seconds(settings, rows.get(cell.quant_tag)))


def _nothing(model_id: str, why: str) -> ThermalSeries:
    """Return an empty series: there is no quant to measure, or no time."""
    return ThermalSeries(
        **stamp(),
        status=RunStatus.NOT_RUN,
        status_reason=why,
        model_id=model_id,
        quant_tag=UNKNOWN,
        measured_at=None,
        finished_at=None,
        boot_id=None,
        hardware_fingerprint=None,
        cpus=None,
        platform={},
        spec=None,
        spec_digest=None,
        session=None,
        host=None,
        gpus=(),
        gpus_absent={},
        repeats=(),
        trace=None,
        observations=(),
    )
