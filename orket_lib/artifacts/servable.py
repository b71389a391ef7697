"""What a job needs to serve a quant that is chosen only once the sweep has been measured.

The context sweep and the thermal series measure the quant that the frontier picks, which nobody
knows when the workflow is read. So the workflow renders all cells, and the job takes one of them.
"""

from __future__ import annotations

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.spec import MeasurementSpec


class ServableCell(Record):
    """One (model, quant) of a sweep, as it can be served for other than the sweep's own tasks."""

    model_id: str
    model_slug: str
    quant_tag: str
    artifact: str
    spec: MeasurementSpec


class ServableCells(Record):
    """`policy/cells.json`."""

    cells: tuple[ServableCell, ...]

    def quants_of(self, model_slug: str) -> tuple[ServableCell, ...]:
        """Return the cells of one model; nothing for a model that is not in the sweep."""
        return tuple(cell for cell in self.cells if cell.model_slug == model_slug)
