"""JSON as people have it: an object in each line, one array, or an object that holds an array."""

from __future__ import annotations

import json
from typing import Any

from orket_lib.tasks.grading.answers import strict_json
from orket_lib.tasks.importing.table import Bad, Record, Table


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
    first = start.partition("\n")[0]
    if start[0] == "{" and not _parses(first) and _parses(text):
        return _of_object(_whole(text))
    return _of_lines(text)


def _whole(text: str) -> Any:
    try:
        return strict_json(text)
    except json.JSONDecodeError as error:
        raise Bad(f"line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise Bad(f"not JSON: {error}"[:200]) from None


def _parses(text: str) -> bool:
    try:
        strict_json(text)
    except (ValueError, RecursionError):
        return False
    return True


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


def _of_object(value: dict[str, Any]) -> Table:
    """Return the only array of an object, or the object itself as the only record."""
    arrays = {
        name: part
        for name, part in value.items()
        if isinstance(part, list) and part and all(isinstance(item, dict) for item in part)
    }
    if len(arrays) == 1:
        ((name, items),) = arrays.items()
        return _of_array(items, f"a JSON object with an array `{name[:40]}`")
    return Table("a JSON object", [_record("item 1", value)])


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
