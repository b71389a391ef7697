"""Validation errors of a bank, as messages for its author.

Pydantic's locations follow the model, with steps for the alternatives of a union. Here a location
is the path in the file, with the id of the task.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHOWN = 60


def problems_of(error: ValidationError, content: Any) -> list[str]:
    """Return a message for each error: where, what is allowed, what was given.

    Args:
        error: The validation error.
        content: The validated content, as read from the file.
    """
    lines = (_line(item, content) for item in error.errors(include_url=False))
    return list(dict.fromkeys(filter(None, lines)))


def _line(item: ErrorDetails, content: Any) -> str | None:
    path, value, named = [], content, ""
    missing = item["type"] == "missing"
    for depth, step in enumerate(item["loc"], start=1):
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if inside:
            value = value[step]
            path.append(str(step))
            if path[0] == "tasks" and len(path) == 2:
                named = _named(value)
        elif missing and depth == len(item["loc"]):
            path.append(str(step))
    if item["type"] == "too_short" and len(value) >= item["ctx"]["min_length"]:
        return None  # its elements exist, and have errors of their own
    said = item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    got = "" if missing or "got " in said or isinstance(value, dict | list) else _got(value)
    return f"{'.'.join(path) or '(whole file)'}{named}: {said}{got}"


def _named(task: Any) -> str:
    given = task.get("id") if isinstance(task, dict) else None
    return f" (id {given})" if isinstance(given, int | str) and len(str(given)) <= _SHOWN else ""


def _got(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=True, default=str)
    return f" (got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'})"
