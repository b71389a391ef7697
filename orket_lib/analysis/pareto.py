"""Pareto sets: what nothing else beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence

Merits = tuple[float, ...]


def undominated(points: Sequence[Merits]) -> list[bool]:
    """Return for each point whether no other is at least as good in all merits and not equal.

    Args:
        points: Merits of each; more is better. Equal points don't exclude each other.
    """
    front: list[Merits] = []
    # What beats a point comes before it in this order, so the front so far decides.
    for point in sorted(set(points), reverse=True):
        if not any(_dominates(other, point) for other in front):
            front.append(point)
    kept = set(front)
    return [point in kept for point in points]


def _dominates(one: Merits, other: Merits) -> bool:
    return one != other and all(ours >= theirs for ours, theirs in zip(one, other, strict=True))
