"""A look between batches of tasks, in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.views.look import Look
from orket_lib.vocabulary.statuses import DropReason
from orket_lib.vocabulary.units import duration

_OF_ALL = (DropReason.TASKS_TOO_HARD, DropReason.BUDGET_SPENT)


def look_lines(look: Look) -> Iterator[str]:
    """Yield what was found after a batch, one line for each quant that is dropped.

    Nothing after a batch that no quant was asked: the look before has said why. Nor after the last
    batch, when the verdicts follow.
    """
    if look.batch > 1 and not any(item.tasks == look.tasks for item in look.quants):
        return
    if look.batch == look.batches:
        return
    asked = f"{look.model_id}, after {look.tasks} of at most {look.tasks_in_all} tasks"
    for reason in _OF_ALL:
        details = [
            it.dropped.detail for it in look.quants if it.dropped and it.dropped.reason is reason
        ]
        if details:
            yield f"{asked}: {details[0]}: {_MEANS[reason]}"
    for item in look.quants:
        # Those that were dropped at an earlier look were asked fewer tasks.
        now = item.tasks == look.tasks or look.batch <= 1
        if now and item.dropped and item.dropped.reason not in _OF_ALL:
            yield f"{asked}: {item.quant_tag} is asked no further: {item.dropped.detail}"
    if look.seconds is not None and look.budget_seconds is not None:
        spent, budget = duration(look.seconds), duration(look.budget_seconds)
        yield f"{asked}: {spent} of {budget} are spent"


_MEANS = {
    DropReason.TASKS_TOO_HARD: "too few for a verdict, even with all others; each quant is asked "
    "only the first batch, which shows how far its answers agree with the baseline's",
    DropReason.BUDGET_SPENT: "further batches are left out",
}
