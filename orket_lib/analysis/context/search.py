"""Which context of a list is tried next.

Trying all of them is the plain way. Bisecting takes the logarithm of it, and relies on this: once a
context fails, longer ones fail, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orket_lib.artifacts.views.context_summary import ContextSearch


def next_context(
    contexts: Sequence[int], search: ContextSearch, passed: Mapping[int, bool]
) -> int | None:
    """Return the context to be tried next; None when enough is known.

    Args:
        contexts: Of the list, smallest first.
        search: How.
        passed: What is known of those that were tried.
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
    """Return why a search had no need to try a context."""
    longer = [tried for tried, well in passed.items() if well and tried > context]
    if longer:
        return f"bisected: {min(longer)} passed, so what is shorter was not tried"
    failed = max(tried for tried, well in passed.items() if not well and tried < context)
    return f"bisected: {failed} failed, so what is longer was not tried"
