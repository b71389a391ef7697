"""Which cell of a sweep is measured further: the one that was named, or the frontier's pick."""

from __future__ import annotations

from orket_lib.artifacts.measurements.request import ServableCell, ServableCells
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null

NO_QUANT_CHOSEN = Null("NO_QUANT_CHOSEN")


def chosen_cell(
    frontier: FrontierExplorer, cells: ServableCells, model_slug: str, named: str | None
) -> ServableCell | Null:
    """Return the cell of a model that is to be measured further.

    Args:
        frontier: Of the sweep.
        cells: Of the sweep.
        model_slug: Folder of the model's views.
        named: Quant that the config names; None leaves it to the frontier.

    Returns:
        The cell, or why there is none: the frontier recommends no quant of the model.

    Raises:
        ArtifactError: Model or quant are not in the sweep.
    """
    of_model = cells.quants_of(model_slug)
    if not of_model:
        known = ", ".join(dict.fromkeys(cell.model_slug for cell in cells.cells))
        raise ArtifactError(f"there is no model {model_slug!r} in the sweep; it has {known}")
    model_id = of_model[0].model_id
    picks = {
        session.model_id: session.minimum_viable_quant
        if session.measured_further is None
        else session.measured_further
        for session in frontier.sessions
    }
    if model_id not in picks:
        raise ArtifactError(f"the frontier says nothing of {model_id!r}")
    tag = named or picks[model_id]
    if not tag:
        return NO_QUANT_CHOSEN
    found = next((cell for cell in of_model if cell.quant_tag == tag), None)
    if found is None:
        known = ", ".join(cell.quant_tag for cell in of_model)
        raise ArtifactError(f"{model_id} has no quant {tag!r} in the sweep; it has {known}")
    return found
