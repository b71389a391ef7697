"""The answers of a row, kept so that quants can be compared word for word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from orket_lib.artifacts.views.row import TaskScore
from orket_lib.artifacts.views.run_report import TestRun


def with_answers(
    scores: Iterable[TaskScore],
    runs: Sequence[TestRun],
    bank: str,
    comparable: Callable[[str], str],
) -> tuple[TaskScore, ...]:
    """Return the scores with each task's bank, its answer, and how much of it was repeated.

    Args:
        scores: One per task.
        runs: All graded runs of the cell.
        bank: Id of the bank that the tasks are from.
        comparable: Normalises an answer as determinism does (T16).
    """
    answers: dict[str, list[str | None]] = defaultdict(list)
    for run in runs:
        # Two empty answers say nothing about two quants: thoughts may have taken all tokens.
        answers[run.test_id].append(comparable(run.answer or "") or None)
    return tuple(
        score.model_copy(
            update={
                "bank": bank,
                "answer": given[0],
                "repeated": same_start(given[0], given[1]) if given[1:] else None,
            }
        )
        for score in scores
        for given in [answers[score.test_id]]
    )


def same_start(one: str | None, other: str | None) -> float | None:
    """Return the share of two comparable answers before their first difference, in characters.

    The share is of the longer one, so it is 1 only if they are the same. A missing answer has
    nothing in common with one that is there; None if both are missing.
    """
    if one is None or other is None:
        return None if one is other else 0.0
    if one == other:
        return 1.0
    pairs = enumerate(zip(one, other, strict=False))
    shorter, longer = sorted((len(one), len(other)))
    return next((place for place, (a, b) in pairs if a != b), shorter) / longer
