"""Requests: what a job measures, as the workflow renders it: the spec, and how to serve the model.

The path of a file and how it is made are not in the spec, because they do not change what is
measured. Tasks are listed once for the whole sweep, not in each cell.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field, model_validator

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.measurements.sidecar import SidecarSpec
from orket_lib.artifacts.measurements.spec import (
    CanarySpec,
    MeasurementSpec,
    RunSpec,
    SandboxKind,
    TaskSelection,
    later,
)

NO_TASKS = TaskSelection(bank_id="", ids=(), sha256="")


class Recipe(Record):
    """How a missing model file is made, by the user's `llama-quantize`."""

    base: str = Field(description="unquantized file, usually F16 or BF16")
    imatrix: str | None = None
    binary: str
    allow_requantize: bool = False


class Asked(Record):
    """What a request serves."""

    artifact: str = Field(description="model file, or tag")
    recipe: Recipe | None = Field(
        None, description="of a file that is made; null for an existing file"
    )


class AskedCell(Asked):
    """`cells/<model>/<quant>/spec.json`; its tasks are those of `policy/tasks.json`."""

    spec: RunSpec


class AskedCanary(Asked):
    """A canary of the sweep."""

    spec: CanarySpec


class AskedCanaries(Record):
    """`canary/spec.json`."""

    bank: str
    canaries: tuple[AskedCanary, ...]
    max_age_hours: float


class AskedSidecar(Asked):
    """`cells/<model>/<quant>/sidecar_spec.json`."""

    spec: SidecarSpec


class AskedTasks(Record):
    """`policy/tasks.json`: the sweep's tasks, and the sandboxes for code in answers."""

    bank: str
    tasks: TaskSelection
    batches: tuple[TaskSelection, ...] = later(
        (), "the tasks of each batch; empty = all are asked at once"
    )
    sandbox: tuple[SandboxKind, ...]

    @model_validator(mode="after")
    def _every_task_has_its_key(self) -> AskedTasks:
        for asked in (self.tasks, *self.batches):
            if len(asked.ids) != len(asked.keys):
                raise ValueError(f"{len(asked.ids)} `ids` and {len(asked.keys)} `keys` of tasks")
        return self


class AskedReceipts(Record):
    """`policy/receipts.json`: the receipts of all cells and rounds of the sweep.

    Its folder may hold others, of quants or rounds that an earlier config had. Jobs read the list
    from a file, because hundreds of paths would exceed Windows' command line.
    """

    paths: tuple[str, ...] = Field(description="relative to the sweep's cells/")


class ServableCell(Asked):
    """A (model, quant) that may be measured further.

    Context sweep and thermal series measure the recommended quant, and probabilities need the
    baseline's answers. Both are unknown when the workflow is parsed. So the workflow renders all
    cells, and the job chooses.
    """

    model_id: str
    model_slug: str
    quant_tag: str
    spec: MeasurementSpec


class ServableCells(Record):
    """`policy/cells.json`."""

    cells: tuple[ServableCell, ...]

    def quants_of(self, model_slug: str) -> tuple[ServableCell, ...]:
        """Return the cells of one model; none for a model that is not in the sweep."""
        return tuple(cell for cell in self.cells if cell.model_slug == model_slug)


AnyAsked = TypeVar("AnyAsked", AskedCell, AskedCanary, AskedSidecar, ServableCell)
