"""JSON as people have it: an object in each line, one array, or an object that holds an array."""

from __future__ import annotations

import json
from typing import Any

from orket_lib.reading.json_values import strict_json
from orket_lib.tasks.importing.table import Bad, Record, Table

_OF_A_RECORD = ("input", "messages", "choices")  # a conversation or options, not records


def read_json_table(text: str) -> Table:
    """Return the objects in a text.

    Raises:
        Bad: There are none.
    """
    start = text.lstrip()
    if not start:
        raise Bad("there are no rows")
    if start[0] == "[":
        return _of_array(_whole(text))
    value = _object(text) if start[0] == "{" else None
    if value is None:
        return _of_lines(text)
    found = _arrays(value)
    if len(found) == 1:
        ((name, items),) = found.items()
        return _of_array(items, f"a JSON object with an array `{name[:40]}`")
    if len(found) == len(value) > 1:
        names = ", ".join(f"`{name[:40]}`" for name in list(found)[:10])
        raise Bad(f"a JSON object with several arrays ({names}); put one of them into its own file")
    if "\n" not in text.strip():
        return _of_lines(text)
    return Table("a JSON object", [_record("item 1", value)])


def _arrays(value: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the arrays of objects in an object, except those that belong to one record."""
    return {
        name: part
        for name, part in value.items()
        if isinstance(part, list) and part and all(isinstance(item, dict) for item in part)
        if name not in _OF_A_RECORD
    }


def _object(text: str) -> dict[str, Any] | None:
    """Return the only object in a text; None if the text is something else, such as JSONL."""
    try:
        value = strict_json(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole(text: str) -> Any:
    try:
        return strict_json(text)
    except json.JSONDecodeError as error:
        raise Bad(f"line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise Bad(f"not JSON: {error}"[:200]) from None


def _of_array(items: Any, seen: str = "a JSON array") -> Table:
    records, problems = [], []
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            records.append(_record(f"item {number}", item))
        else:
            problems.append(f"item {number}: not a JSON object")
    if not items:
        raise Bad(f"{seen} without items")
    return Table(seen, records, problems)


def _of_lines(text: str) -> Table:
    records, problems = [], []
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = strict_json(content)
        except (ValueError, RecursionError) as error:
            problems.append(f"line {line}: not JSON: {error}"[:200])
            continue
        if isinstance(row, dict):
            records.append(_record(f"line {line}", row))
        else:
            problems.append(f"line {line}: not a JSON object")
    return Table("JSONL", records, problems)


def _record(where: str, row: dict[str, Any]) -> Record:
    return Record(where, {name: value for name, value in row.items() if value is not None})
