"""Compares values that came out of a sandbox with the expected ones.

Python's `==` is too lenient for grading: `True == 1`, `1 == 1.0`, and an untrusted class may claim
to be equal to anything. Here both sides are plain values, and floats have a tolerance only if a
task sets one.
"""

from __future__ import annotations

import math
from typing import Any

from orket_lib.sandbox.inside.values import encode


def same_value(expected: Any, found: Any, tolerance: float = 0.0) -> bool:
    """Return whether two plain values have the same types and are equal.

    NaN equals NaN. The order of mappings doesn't matter. Sets and the keys of mappings are compared
    without tolerance.

    Args:
        expected: One value.
        found: The other.
        tolerance: For floats, relative and absolute.
    """
    if type(expected) is not type(found):
        return False
    if isinstance(expected, float):
        both_nan = math.isnan(expected) and math.isnan(found)
        return both_nan or math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(expected, list | tuple):
        return len(expected) == len(found) and all(
            same_value(one, other, tolerance) for one, other in zip(expected, found, strict=True)
        )
    if isinstance(expected, dict):
        return _exact(expected) == _exact(found) and all(
            same_value(expected[key], found[key], tolerance) for key in expected
        )
    if isinstance(expected, set | frozenset):
        return _exact(expected) == _exact(found)
    return bool(expected == found)


def _exact(items: Any) -> set[bytes]:
    """Return the items as bytes, which differ for 1 and True as the items' types do."""
    return {encode(item) for item in items}
