"""What a job is asked to measure, as the workflow renders it for it: the spec, and how to serve it.

Where a file lies, or how it is made, is no part of a spec: it changes nothing that is measured. A
cell's tasks are listed once for the whole sweep, and not again in each cell.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.measurements.sidecar import SidecarSpec
from orket_lib.artifacts.measurements.spec import (
    CanarySpec,
    MeasurementSpec,
    RunSpec,
    SandboxKind,
    TaskSelection,
)

NO_TASKS = TaskSelection(bank_id="", ids=(), sha256="")


class Recipe(Record):
    """How a model file is made that is not there: by the user's `llama-quantize`."""

    base: str = Field(description="file with all its bits")
    imatrix: str | None = None
    binary: str
    allow_requantize: bool = False


class Asked(Record):
    """What serves a cell."""

    artifact: str = Field(description="model file, or tag")
    recipe: Recipe | None = Field(None, description="of a file that is made; null for one as it is")


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
    """`policy/tasks.json`: the sweep's tasks, and where code of answers may be run."""

    bank: str
    tasks: TaskSelection
    sandbox: tuple[SandboxKind, ...]


class ServableCell(Asked):
    """A (model, quant) of the sweep for other tasks than the sweep's own.

    The context sweep and the thermal series measure the quant that is picked, which is not known
    when the workflow is read. So the workflow renders all cells, and the job takes one of them.
    """

    model_id: str
    model_slug: str
    quant_tag: str
    spec: MeasurementSpec


class ServableCells(Record):
    """`policy/cells.json`."""

    cells: tuple[ServableCell, ...]

    def quants_of(self, model_slug: str) -> tuple[ServableCell, ...]:
        """Return the cells of one model; nothing for a model that is not in the sweep."""
        return tuple(cell for cell in self.cells if cell.model_slug == model_slug)


AnyAsked = TypeVar("AnyAsked", AskedCell, AskedCanary, AskedSidecar, ServableCell)
