"""How much of a model's tasks was asked in batches, as figures and as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import SessionBatches
from orket_lib.vocabulary.statuses import DropReason
from orket_lib.vocabulary.units import duration


def session_batches(rows: Sequence[RowMetrics], look: Look) -> SessionBatches:
    """Return how much was asked.

    Args:
        rows: Rows of the model.
        look: The last look at it.
    """
    once = look.runs_per_task
    repeated = sum(max(0, row.test_runs - (row.tasks or 0) * once) for row in rows)
    return SessionBatches(
        batches=look.batches,
        tasks=max(row.tasks or 0 for row in rows),
        tasks_in_all=look.tasks_in_all,
        runs=sum(row.test_runs for row in rows),
        runs_in_all=look.tasks_in_all * once * len(rows) + repeated,
        seconds=look.seconds,
        budget_seconds=look.budget_seconds,
    )


def asked_less(
    rows: Sequence[RowMetrics], batches: SessionBatches | None, quick: bool = False
) -> list[str]:
    """Return a sentence on what was saved, and one on a budget that ended the batches.

    Args:
        rows: Rows of the model.
        batches: How much was asked; None if all tasks are asked at once.
        quick: Whether the first batch has the easiest tasks.
    """
    if batches is None:
        return []
    said = []
    if batches.runs < batches.runs_in_all:
        said.append(f"Asked {batches.runs} of at most {batches.runs_in_all} graded runs.")
    left_out = [
        row.dropped.detail
        for row in rows
        if row.dropped and row.dropped.reason is DropReason.BUDGET_SPENT
    ]
    if left_out:
        said.append(
            f"The budget ended after {batches.tasks} of {batches.tasks_in_all} tasks"
            f"{', the easiest' if quick else ''}: {left_out[0]}."
        )
    elif _overspent(batches):
        assert batches.seconds is not None
        assert batches.budget_seconds is not None
        spent, budget = duration(batches.seconds), duration(batches.budget_seconds)
        said.append(f"It took {spent}, more than the budget of {budget}.")
    return said


def _overspent(batches: SessionBatches) -> bool:
    spent, budget = batches.seconds, batches.budget_seconds
    return spent is not None and budget is not None and spent > budget
