"""Graders: from a task and an answer to checks. A task is passed when all its checks are.

There is no partial credit and no leniency: what can't be judged as right is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from orket_lib.artifacts.run_report import Check
from orket_lib.tasks.answers import normalize, only_number, parse_json
from orket_lib.tasks.bank import Task

_SHOWN = 60  # characters of an answer that a check's detail repeats


def grade(task: Task, answer: str) -> tuple[Check, ...]:
    """Return the checks of one answer, at least one."""
    return _GRADERS[task.grader](task.expected, answer)


def _exact(expected: str, answer: str) -> tuple[Check, ...]:
    found = normalize(answer)
    return (_check("exact", found == normalize(expected), expected, found),)


def _number(expected: int | float, answer: str) -> tuple[Check, ...]:
    found = only_number(answer)
    if found is None:
        detail = f"no single number in {_shown(normalize(answer))}"
        return (Check(name="number", passed=False, detail=detail),)
    same = (
        found == expected
        if isinstance(expected, int)
        else math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    )
    return (_check("number", same, expected, found),)


def _json(expected: Any, answer: str) -> tuple[Check, ...]:
    try:
        found = parse_json(answer)
    except (ValueError, RecursionError) as error:
        return (Check(name="json_parses", passed=False, detail=str(error)),)
    parses = Check(name="json_parses", passed=True)
    return (parses, _check("json_equals", same_json(expected, found), expected, found))


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, `true` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def _check(name: str, passed: bool, expected: object, found: object) -> Check:
    detail = "" if passed else f"expected {_shown(expected)}, got {_shown(found)}"
    return Check(name=name, passed=passed, detail=detail)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_GRADERS: dict[str, Callable[[Any, str], tuple[Check, ...]]] = {
    "exact": _exact,
    "number": _number,
    "json": _json,
}
