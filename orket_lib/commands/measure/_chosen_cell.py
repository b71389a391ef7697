"""The cell for context and thermal measurements: named in the config, or the recommended quant."""

from __future__ import annotations

from orket_lib.artifacts.measurements.request import ServableCell, ServableCells
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null

NO_QUANT_CHOSEN = Null("NO_QUANT_CHOSEN")


def chosen_cell(
    frontier: FrontierExplorer, cells: ServableCells, model_slug: str, named: str | None
) -> ServableCell | Null:
    """Return the cell of a model for context and thermal measurements.

    Args:
        frontier: The sweep's frontier.
        cells: The sweep's cells.
        model_slug: Folder of the model's views.
        named: Quant that the config names; None takes the recommended one.

    Returns:
        The cell, or a null if the frontier recommends no quant of the model.

    Raises:
        ArtifactError: The model or quant is not in the sweep.
    """
    model_id = _of_model(cells, model_slug)[0].model_id
    picks = {
        session.model_id: session.minimum_viable_quant
        if session.measured_further is None
        else session.measured_further
        for session in frontier.sessions
    }
    if model_id not in picks:
        raise ArtifactError(f"the frontier has no model {model_id!r}")
    tag = named or picks[model_id]
    return cell_named(cells, model_slug, tag) if tag else NO_QUANT_CHOSEN


def cell_named(cells: ServableCells, model_slug: str, tag: str) -> ServableCell:
    """Return a cell of a model by its quant.

    Raises:
        ArtifactError: The model or quant is not in the sweep.
    """
    of_model = _of_model(cells, model_slug)
    found = next((cell for cell in of_model if cell.quant_tag == tag), None)
    if found is None:
        known = ", ".join(cell.quant_tag for cell in of_model)
        raise ArtifactError(
            f"the sweep has no quant {tag!r} of {of_model[0].model_id}; it has {known}"
        )
    return found


def _of_model(cells: ServableCells, model_slug: str) -> tuple[ServableCell, ...]:
    of_model = cells.quants_of(model_slug)
    if not of_model:
        known = ", ".join(dict.fromkeys(cell.model_slug for cell in cells.cells))
        raise ArtifactError(f"the sweep has no model {model_slug!r}; it has {known}")
    return of_model
