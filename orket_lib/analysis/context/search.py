"""Which context of a list to try next: all of them in order, or by bisection.

Bisection needs fewer measurements, and assumes that longer contexts fail if a shorter one fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orket_lib.artifacts.views.context_summary import ContextSearch


def next_context(
    contexts: Sequence[int], search: ContextSearch, passed: Mapping[int, bool]
) -> int | None:
    """Return the context to try next; None when the search is done.

    Args:
        contexts: All contexts of the list, smallest first.
        search: Try all, or bisect.
        passed: Whether each tried context passed.
    """
    if search == "all":
        return next((context for context in contexts if context not in passed), None)
    low = max((place for place, it in enumerate(contexts) if passed.get(it) is True), default=-1)
    high = min(
        (place for place, it in enumerate(contexts) if passed.get(it) is False),
        default=len(contexts),
    )
    middle = (low + high) // 2
    return contexts[middle] if high - low > 1 else None


def why_not_tried(context: int, passed: Mapping[int, bool]) -> str:
    """Return why a search skipped a context."""
    longer = [tried for tried, well in passed.items() if well and tried > context]
    if longer:
        return f"bisected: {min(longer)} passed, so shorter ones were not tried"
    failed = max(tried for tried, well in passed.items() if not well and tried < context)
    return f"bisected: {failed} failed, so longer ones were not tried"
