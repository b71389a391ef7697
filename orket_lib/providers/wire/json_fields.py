"""Fields of a server's JSON: an invalid number is None, never 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def count(source: Mapping[str, Any], key: str) -> int | None:
    """Return a number of tokens or bytes; None unless it is a non-negative integer."""
    value = source.get(key)
    return None if not isinstance(value, int) or isinstance(value, bool) or value < 0 else value


def seconds(source: Mapping[str, Any], key: str, unit_s: float = 1.0) -> float | None:
    """Return a time in seconds; None unless it is a finite, non-negative number.

    Args:
        source: The server's object.
        key: Of the time.
        unit_s: The server's unit, in seconds.
    """
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        known = math.isfinite(value) and value >= 0
    except OverflowError:  # an integer too large for a float
        return None
    return value * unit_s if known else None


def section(source: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an object within an object; an empty one when it is missing."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def text(source: Mapping[str, Any], key: str) -> str | None:
    """Return a string; None for an empty one and for other types."""
    value = source.get(key)
    return value if isinstance(value, str) and value else None
