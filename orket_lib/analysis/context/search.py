"""Which context of a list to try next: all of them in order, or those that find the ceiling.

A search for the ceiling assumes that longer contexts fail if a shorter one fails. If several quants
of a model are searched, the largest one climbs, so that it was asked wherever another one is. The
others are asked at the smallest context, and then around the ceiling of the next larger quant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orket_lib.analysis.context.ceiling import context_points, safe_ceiling
from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.artifacts.views.context_summary import ContextSearch
from orket_lib.vocabulary.nulls import Null

Passed = Mapping[int, bool]  # of each tried context


def next_context(contexts: Sequence[int], search: ContextSearch, passed: Passed) -> int | None:
    """Return the context to try next; None when the search is done.

    Args:
        contexts: All contexts of the list, smallest first.
        search: Try all, or bisect.
        passed: Whether each tried context passed.
    """
    return _untried(contexts, passed) if search == "all" else _bisected(contexts, passed)


@dataclass(frozen=True)
class AmongQuants:
    """The search of one quant among several of its model.

    Attributes:
        contexts: All contexts of the list, smallest first.
        thresholds: The limits.
        larger: The figures of each larger quant, the largest first; none for the largest itself.
    """

    contexts: Sequence[int]
    thresholds: ContextThresholds
    larger: Sequence[Sequence[ContextFigures]] = field(default=())

    def next(self, passed: Passed) -> int | None:
        """Return the context to try next; None when the search is done."""
        if not self.larger:
            return None if False in passed.values() else _untried(self.contexts, passed)
        worth = self._worth_trying
        if worth[0] not in passed:
            return worth[0]
        return _bisected(worth, passed, self._near)

    def why_not(self, context: int, passed: Passed) -> str:
        """Return why the search skipped a context."""
        if context not in self._worth_trying:
            return "the largest quant gave too many wrong answers, so smaller ones were not asked"
        return why_not_tried(context, passed)

    @property
    def _worth_trying(self) -> Sequence[int]:
        """The contexts below the first one at which the answers of the largest quant failed."""
        points = context_points(self.larger[0], self.thresholds) if self.larger else ()
        failed = [it.context for it in points if "ADHERENCE_BELOW_MIN" in it.reasons]
        return [it for it in self.contexts if it < min(failed, default=it + 1)] or [
            self.contexts[0]
        ]

    @property
    def _near(self) -> int | None:
        """The ceiling of the next larger quant that has one."""
        ceilings = (safe_ceiling(context_points(it, self.thresholds)) for it in self.larger)
        known = [it for it in ceilings if not isinstance(it, Null)]
        return known[-1] if known else None


def why_not_tried(context: int, passed: Passed) -> str:
    """Return why a search skipped a context."""
    longer = [tried for tried, well in passed.items() if well and tried > context]
    if longer:
        return f"bisected: {min(longer)} passed, so shorter ones were not tried"
    failed = max(tried for tried, well in passed.items() if not well and tried < context)
    return f"bisected: {failed} failed, so longer ones were not tried"


def _untried(contexts: Sequence[int], passed: Passed) -> int | None:
    return next((context for context in contexts if context not in passed), None)


def _bisected(contexts: Sequence[int], passed: Passed, near: int | None = None) -> int | None:
    """Return the next context of a bisection.

    Args:
        contexts: Smallest first.
        passed: Whether each tried context passed.
        near: A context to try first, with its neighbours.
    """
    low = max((place for place, it in enumerate(contexts) if passed.get(it) is True), default=-1)
    high = min(
        (place for place, it in enumerate(contexts) if passed.get(it) is False),
        default=len(contexts),
    )
    if high - low <= 1:
        return None
    start = contexts.index(near) if near in contexts else None
    if start is not None and low < start < high:
        return contexts[start]
    if start is not None and start in (low, high):
        return contexts[low + 1 if start == low else high - 1]
    return contexts[(low + high) // 2]
