"""Whether a value that came out of a sandbox is the one that was expected, and how to show it.

Python's `==` is too kind for a judge: `True == 1`, `1 == 1.0`, and a class of the stranger's may
call itself equal to anything. Here both sides are plain values, and floats have a tolerance only
where a task asks for one.
"""

from __future__ import annotations

import math
from typing import Any

from orket_lib.sandbox.inside.values import encode
from orket_lib.vocabulary.text import printable


def same_value(expected: Any, found: Any, tolerance: float = 0.0) -> bool:
    """Tell whether two plain values are of the same types and equal.

    NaN is the same as NaN. Mappings are the same in any order, sets and the keys of mappings
    without tolerance.

    Args:
        expected: One value.
        found: The other.
        tolerance: Of floats, relative and absolute.
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


def described(value: Any, limit: int) -> str:
    """Return a plain value as one safe line of at most so many characters."""
    try:
        return printable(repr(value), limit)
    except ValueError:  # Python refuses to write very long numbers, which takes quadratic time
        if isinstance(value, int):
            return printable(f"a number of {value.bit_length()} bits", limit)
        kind = type(value).__name__
        return printable(f"a {kind} with a number of more than 4300 digits", limit)


def _exact(items: Any) -> set[bytes]:
    """Return hashable stand-ins that differ where types differ, unlike 1 and True."""
    return {encode(item) for item in items}
