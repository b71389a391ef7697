"""`orket thermal-series`: measure the thermal series of the quant that a frontier picks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_out, provenance, tell
from orket_lib.vocabulary.nulls import Null

if TYPE_CHECKING:
    from orket_lib.artifacts.servable import ServableCell
    from orket_lib.artifacts.thermal_series import ThermalSeries, ThermalSettings, ThermalSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.commands._measuring import add_gates

    parser.add_argument("--frontier", type=Path, required=True, help="frontier_explorer.json")
    parser.add_argument("--cells", type=Path, required=True, help="the sweep's policy/cells.json")
    parser.add_argument(
        "--settings", type=Path, required=True, help="the sweep's policy/thermal.json"
    )
    parser.add_argument("--model", required=True, help="folder of the model's views")
    add_gates(parser)
    parser.add_argument("--place", type=Path, help="where it is served, as the workflow writes it")
    parser.add_argument(
        "--storage-root", type=Path, default=Path("storage"), help="default: %(default)s"
    )
    add_out(parser, "the series; the measurement lies below the storage root")


def run(options: argparse.Namespace) -> int:
    """Measure what is not in storage yet, and write what is there, whatever that is."""
    from orket_lib.artifacts.frontier import FrontierExplorer
    from orket_lib.artifacts.io import read_model, write_model
    from orket_lib.artifacts.servable import ServableCells
    from orket_lib.artifacts.thermal_series import ThermalSettings
    from orket_lib.commands._chosen import chosen_cell
    from orket_lib.vocabulary.statuses import RunStatus

    cells = read_model(options.cells, ServableCells)
    settings = read_model(options.settings, ThermalSettings)
    frontier = read_model(options.frontier, FrontierExplorer)
    cell = chosen_cell(frontier, cells, options.model, settings.quant_tag)
    if isinstance(cell, Null):
        series = _nothing(cells.quants_of(options.model)[0].model_id, cell)
    else:
        series = _measured(options, cell, settings)
    write_model(options.out, series)
    if series.status is not RunStatus.MEASURED:
        tell(f"thermal series {series.model_id}: {series.status.value}: {series.status_reason}")
    return 0


def _measured(
    options: argparse.Namespace, cell: ServableCell, settings: ThermalSettings
) -> ThermalSeries:
    """Return the series of a cell, from storage where it is there."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.thermal_series import ThermalSeries, ThermalSpec
    from orket_lib.measure.thermal import SERIES
    from orket_lib.vocabulary.slugs import slug
    from orket_lib.vocabulary.statuses import RunStatus

    spec = ThermalSpec.of(cell, settings)
    folder = options.storage_root / "thermal" / slug(cell.model_id) / cell.quant_tag / spec.digest()
    if (folder / SERIES).is_file():
        series = read_model(folder / SERIES, ThermalSeries)
    else:
        series = _measure(options, cell, spec, folder)
    if series.status is not RunStatus.MEASURED:
        tell(f"to measure it again, delete {(folder / SERIES).as_posix()} and the view of it")
    return series


def _measure(
    options: argparse.Namespace, cell: ServableCell, spec: ThermalSpec, folder: Path
) -> ThermalSeries:
    """Measure the series of a cell."""
    from orket_lib.commands._measuring import console_progress, require_gates, source
    from orket_lib.measure.lifeline import die_with_snakemake
    from orket_lib.measure.thermal import ThermalMeasurement

    die_with_snakemake()
    require_gates(options)
    options.artifact = Path(cell.artifact)
    served_from = source(options, spec.artifact)
    stamp = provenance([options.frontier, options.cells, options.settings])
    with console_progress(f"thermal series {cell.model_id} {cell.quant_tag}") as progress:
        return ThermalMeasurement(spec, served_from, folder, progress, stamp).run()


def _nothing(model_id: str, why: Null) -> ThermalSeries:
    """Return a series that could not be: there is no quant to measure."""
    from orket_lib.artifacts.frontier import UNKNOWN
    from orket_lib.artifacts.thermal_series import ThermalSeries
    from orket_lib.commands._common import stamp
    from orket_lib.vocabulary.statuses import RunStatus

    return ThermalSeries(
        **stamp(),
        status=RunStatus.NOT_RUN,
        status_reason=why.reason,
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
