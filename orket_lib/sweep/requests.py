"""The requests of a sweep's jobs: what each one measures, as the workflow writes it to files."""

from __future__ import annotations

from orket_lib.artifacts.measurements.request import (
    NO_TASKS,
    AskedCanaries,
    AskedCanary,
    AskedCell,
    AskedSidecar,
    AskedTasks,
    Recipe,
    ServableCell,
    ServableCells,
)
from orket_lib.artifacts.measurements.sidecar import SidecarSpec
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.sweep.cells import Cell, Sweep

# Context sweep and thermal series bring their own tasks, so these say nothing about them.
_OF_TASKS = {"tasks", "runner", "sandbox"}


def asked_cell(sweep: Sweep, cell: Cell) -> AskedCell:
    """Return the request of a cell; its tasks are listed once for all cells."""
    spec = cell.spec.model_copy(update={"tasks": NO_TASKS})
    return AskedCell(artifact=str(cell.model), recipe=recipe_of(sweep, cell), spec=spec)


def asked_tasks(sweep: Sweep) -> AskedTasks:
    """Return the tasks of all cells."""
    return AskedTasks(
        bank=sweep.bank_path,
        tasks=sweep.cells[0].spec.tasks,
        batches=sweep.cells[0].batches,
        sandbox=sweep.config.code_sandbox,
    )


def asked_canaries(sweep: Sweep) -> AskedCanaries:
    """Return the request of the canaries, which may be none."""
    cells = {(cell.model_id, cell.quant_tag): cell for cell in sweep.cells}
    return AskedCanaries(
        bank=sweep.bank_path,
        max_age_hours=sweep.config.canary_policy.max_age_hours,
        canaries=tuple(
            AskedCanary(artifact=str(cell.model), recipe=recipe_of(sweep, cell), spec=spec)
            for spec in sweep.canaries
            if (cell := cells[spec.model_id, spec.quant_tag])
        ),
    )


def asked_sidecar(sweep: Sweep, cell: Cell, spec: SidecarSpec) -> AskedSidecar:
    """Return the request of a cell's sidecar."""
    return AskedSidecar(artifact=str(cell.model), recipe=recipe_of(sweep, cell), spec=spec)


def servable_cells(sweep: Sweep) -> ServableCells:
    """Return all cells, for measurements that follow those of the cells."""
    return ServableCells(cells=tuple(_servable(sweep, cell) for cell in sweep.cells))


def recipe_of(sweep: Sweep, cell: Cell) -> Recipe | None:
    """Return how the file of a cell is made; None for one that exists."""
    recipe, config = cell.model.recipe, sweep.config
    if recipe is None:
        return None
    return Recipe(
        base=recipe.base.as_posix(),
        imatrix=recipe.imatrix.as_posix() if recipe.imatrix else None,
        binary=config.quantize_binary,
        allow_requantize=config.quantize_allow_requantize,
    )


def _servable(sweep: Sweep, cell: Cell) -> ServableCell:
    fields = set(MeasurementSpec.model_fields) - _OF_TASKS
    return ServableCell(
        model_id=cell.model_id,
        model_slug=cell.model_slug,
        quant_tag=cell.quant_tag,
        artifact=str(cell.model),
        recipe=recipe_of(sweep, cell),
        spec=MeasurementSpec(**cell.spec.model_dump(include=fields), tasks=NO_TASKS),
    )
