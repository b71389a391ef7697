"""Comparing measured numbers with thresholds: with a tolerance, never exactly (trap T20)."""

from __future__ import annotations

TOLERANCE = 1e-9


def exceeds(value: float, limit: float) -> bool:
    """Tell whether a value is above a limit; an equal one is fine."""
    return value > limit + TOLERANCE


def reaches(value: float, threshold: float) -> bool:
    """Tell whether a value is at or above a threshold (0.8 x 0.9 reaches 0.72)."""
    return value >= threshold - TOLERANCE
