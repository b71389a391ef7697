"""Whether the recommended quant bears the context that the config wants.

Contexts are measured at the quant that was picked, so this is known after the decision only: there,
the want is not established.
"""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.views.context_ceiling import ContextPoint, ContextThresholds
from orket_lib.artifacts.views.verdict import WantCheck
from orket_lib.vocabulary.statuses import WantName, WantStatus
from orket_lib.vocabulary.thresholds import reaches
from orket_lib.vocabulary.units import counted

FEWEST_TASKS = 10  # fewer say too little of a context


def check_context(
    wanted: int, points: Sequence[ContextPoint], thresholds: ContextThresholds
) -> WantCheck:
    """Return whether a quant bears a context.

    It is met if the context, or a larger one, and all smaller ones that were tried passed. It is
    borderline if they did, but so few answers don't prove the adherence, or if it failed by
    adherence alone, which may be chance.

    Args:
        wanted: The context, in tokens.
        points: Of the tried contexts, smallest first.
        thresholds: The limits of the sweep.
    """
    failed = next((point for point in points if not point.passed), None)
    reached = [point for point in points if point.context >= wanted and point.passed]
    if failed is not None and failed.context <= wanted:
        if failed.reasons == ("INVALID_ROW",):
            why = f"the measurement at {failed.context} was disturbed"
            return _check(wanted, None, WantStatus.NOT_ESTABLISHED, why)
        by_chance = failed.reasons == ("ADHERENCE_BELOW_MIN",) and _may_reach(failed, thresholds)
        status = WantStatus.BORDERLINE if by_chance else WantStatus.NOT_MET
        return _check(wanted, failed, status, f"{failed.context} failed")
    if not reached or (failed is not None and reached[0].context > failed.context):
        largest = max((point.context for point in points if point.passed), default=None)
        tried = f"the largest that passed is {largest}" if largest else "no context was tried"
        return _check(wanted, None, WantStatus.NOT_ESTABLISHED, f"{wanted} was not tried; {tried}")
    point = reached[0]
    if thresholds.adherence_min > 0:
        if point.asked < FEWEST_TASKS:
            why = f"{counted(point.asked, 'task')}, too few to tell"
            return _check(wanted, point, WantStatus.NOT_ESTABLISHED, why)
        if not reaches(point.adherence_low or 0.0, thresholds.adherence_min):
            why = f"{worth(point)}, and {thresholds.adherence_min:.0%} is wanted"
            return _check(wanted, point, WantStatus.BORDERLINE, why)
    return _check(wanted, point, WantStatus.MET, None)


def worth(point: ContextPoint) -> str:
    """Return what the answers at a context say of its adherence."""
    low, high = point.adherence_low, point.adherence_high
    if low is None or high is None:
        return "its adherence can't be told"
    right = f"{point.right:g} of {point.asked} answers are right"
    if point.asked < FEWEST_TASKS:
        return f"{right}; its adherence can't be told from so few tasks"
    if point.right == point.asked:
        return f"{right}, so at least {low:.0%}"
    if point.right == 0:
        return f"{right}, so at most {high:.0%}"
    return f"{right}, so {low:.0%} to {high:.0%}"


def _may_reach(point: ContextPoint, thresholds: ContextThresholds) -> bool:
    return reaches(point.adherence_high or 0.0, thresholds.adherence_min)


def _check(
    wanted: int, point: ContextPoint | None, status: WantStatus, because: str | None
) -> WantCheck:
    value = None if point is None else float(point.context)
    return WantCheck(
        want=WantName.CONTEXT, limit=wanted, value=value, status=status, because=because
    )
