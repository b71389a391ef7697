"""The cells of a sweep for what is measured at a quant that the sweep itself picks."""

from __future__ import annotations

from orket_lib.artifacts.servable import ServableCell, ServableCells
from orket_lib.artifacts.spec import MeasurementSpec, TaskSelection
from orket_lib.config.resolve import Cell, Sweep

# The bank's tasks, and who answers and judges them, are no part of such a measurement.
_OF_TASKS = {"tasks", "runner", "sandbox"}
NO_TASKS = TaskSelection(bank_id="", ids=(), sha256="")


def servable_cells(sweep: Sweep) -> ServableCells:
    """Return all cells of a sweep, in its order."""
    return ServableCells(cells=tuple(map(_servable, sweep.cells)))


def _servable(cell: Cell) -> ServableCell:
    fields = set(MeasurementSpec.model_fields) - _OF_TASKS
    return ServableCell(
        model_id=cell.model_id,
        model_slug=cell.model_slug,
        quant_tag=cell.quant_tag,
        artifact=str(cell.named),
        spec=MeasurementSpec(**cell.spec.model_dump(include=fields), tasks=NO_TASKS),
    )
