"""The 95 % interval of a row's adherence."""

from __future__ import annotations

from functools import cache

from orket_lib.analysis.statistics import interval_of_share
from orket_lib.artifacts.views.summary import SummaryRow


def adherence_interval(row: SummaryRow) -> tuple[float | None, float | None]:
    """Return the ends of the interval, for further tasks of these kinds; None if unknown."""
    tasks = row.tasks or sum(item.tasks for item in row.adherence_by_family)
    if row.adherence_score is None or not tasks:
        return None, None
    return _interval_of(row.adherence_score, tasks)


@cache
def _interval_of(score: float, tasks: int) -> tuple[float, float]:
    """Return the interval of a mean if each task counts 0 or 1: never too narrow."""
    right = score * tasks
    whole = min(int(right), tasks)
    part = [right - whole] if whole < tasks else []
    return interval_of_share([1.0] * whole + part + [0.0] * (tasks - whole - len(part)))
