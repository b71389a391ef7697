"""Missing numbers: a null has a reason, and is never 0 (trap T9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Null:
    """A missing number; `null_reasons` lists the reasons."""

    reason: str


def known(values: Iterable[T | Null]) -> list[T]:
    """Return the values that are not null."""
    return [value for value in values if not isinstance(value, Null)]


def first_null(values: Iterable[T | Null]) -> Null | None:
    """Return the first null; None if there is none."""
    return next((value for value in values if isinstance(value, Null)), None)


def apply(function: Callable[..., R], *values: Any) -> R | Null:
    """Return `function(*values)`, or the first null among the values."""
    return first_null(values) or function(*values)


def all_of(values: Iterable[T | Null], combine: Callable[[list[T]], R], empty: Null) -> R | Null:
    """Combine values of which each is needed.

    Args:
        values: Any number of them.
        combine: Such as `sum` or `max`.
        empty: Returned where there are no values.

    Returns:
        The result; the first null if any value is null.
    """
    listed = list(values)
    return first_null(listed) or (combine(known(listed)) if listed else empty)


def any_of(values: Iterable[T | Null], combine: Callable[[list[T]], R], empty: Null) -> R | Null:
    """Combine the values that are known.

    Args:
        values: Any number of them.
        combine: Such as `max` or `statistics.median`.
        empty: Returned where there are no values.

    Returns:
        The result; the first null if all values are null.
    """
    listed = list(values)
    found = known(listed)
    return combine(found) if found else (first_null(listed) or empty)
