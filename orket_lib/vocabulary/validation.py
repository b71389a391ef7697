"""Validation errors in words: `place: what is allowed (got value)`, one line for each mistake.

A mistake that is made in many places is one line that lists the places: a template that fits no
file is one mistake in forty cells, and reads as one.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pydantic takes 0.3 s, and `orket --help` imports the errors
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_LINE = re.compile(r"(?P<place>.+?): (?P<words>.+?)(?: \(got (?P<value>.*)\))?", re.DOTALL)
_MOST_PLACES = 50
_MOST_VALUES = 5
_LONGEST_VALUE = 60
_LONGEST_ID = 60
_VALUE_BYTES = 64  # about what a value takes besides its text
_MOST_BYTES = 2**25
TOO_MUCH = "its aliases (`*name`) repeat too much, or it is nested too deeply"
_DEEPEST = 64  # recursive code, such as JSON's encoder, gives up at some hundreds

# Types of JSON Schema.
KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
# Error types of pydantic; other errors keep pydantic's words, or those of our own validators.
_WORDS = {
    "missing": "missing",
    "extra_forbidden": "there is no such key",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "too_short": "needs {min_length} or more items",
    "string_too_short": "needs {min_length} or more characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
}
# A key that does not exist may hold a secret, so its value is not shown.
_WITHOUT_VALUE = ("missing", "extra_forbidden")


def shown(value: object, limit: int = _LONGEST_VALUE) -> str:
    """Return a value as JSON, cut off after `limit` characters."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= limit else f"{text[:limit]}..."


def nearest(name: str, names: Collection[str]) -> str:
    """Return `; did you mean ...?` for the most similar name, or nothing."""
    # By chance much is like a name of two letters: `none` is not meant to be `on`.
    short = 0 if len(name) < 4 else 2
    plain = {known.lower().replace("-", "_"): known for known in names if len(known) > short}
    found = difflib.get_close_matches(name.lower().replace("-", "_"), plain, n=1)
    return f"; did you mean `{plain[found[0]]}`?" if found else ""


def words_of(item: ErrorDetails) -> str:
    """Return what one error of pydantic says, without place and value."""
    words = _WORDS.get(item["type"])
    if words is None:
        return item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return words.format_map(item.get("ctx", {}))


def too_large(content: Any) -> bool:
    """Tell whether YAML aliases make a short file hold endless values, or it is nested deeply."""
    size, waiting = 0, [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        size += _VALUE_BYTES + (len(value) if isinstance(value, str) else 0)
        inside = value.values() if isinstance(value, dict) else value
        waiting += [(it, depth + 1) for it in inside] if isinstance(value, dict | list) else ()
        if size > _MOST_BYTES or depth > _DEEPEST:
            return True
    return False


def problems_of(error: ValidationError, content: Any) -> list[str]:
    """Return one line for each violation: where, what is allowed, what was given.

    Pydantic names places by the structure of the model, with a step for each alternative of a
    union. Here a place is the path in the file, with the id of the task that it is in.

    Args:
        error: What a model said about some content.
        content: That content, as it was read from the file.
    """
    lines = (_line(item, content) for item in error.errors(include_url=False))
    return list(dict.fromkeys(filter(None, lines)))


def _line(item: ErrorDetails, content: Any) -> str | None:
    path, value, task_id = [], content, ""
    without_value = item["type"] in _WITHOUT_VALUE
    for depth, step in enumerate(item["loc"], start=1):
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if inside:
            value = value[step]
            path.append(str(step))
            if path[0] == "tasks" and len(path) == 2:
                task_id = _id_of(value)
        elif without_value and depth == len(item["loc"]):
            path.append(str(step))
    if item["type"] == "too_short" and len(value) >= item["ctx"]["min_length"]:
        return None  # its elements are there, and have errors of their own
    words = words_of(item)
    said = without_value or "got " in words or isinstance(value, dict | list)
    got = "" if said else f" (got {shown(value)})"
    return f"{'.'.join(path) or '(whole file)'}{task_id}: {words}{got}"


def _id_of(task: Any) -> str:
    given = task.get("id") if isinstance(task, dict) else None
    short = isinstance(given, int | str) and len(str(given)) <= _LONGEST_ID
    return f" (id {given})" if short else ""


def alternatives(schema: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the parts of a JSON Schema of which a value must fit one."""
    found: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return found


def allowed(schema: Mapping[str, Any]) -> str:
    """Return what a JSON Schema allows, in words."""
    return " or ".join(map(_allowed_part, alternatives(schema)))


def _allowed_part(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        *first, last = (f"`{choice}`" for choice in part["enum"])
        return f"{', '.join(first)} or {last}" if first else last
    if "const" in part:
        return str(part["const"])
    if "title" in part:  # our own words for an alternative
        return str(part["title"])
    if part.get("type") == "array" and "items" in part:
        return f"a list of {allowed(part['items']).removeprefix('a ')}"
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    examples = " or ".join(f"`{example}`" for example in part.get("examples", ()))
    such_as = f" such as {examples}" if examples else ""
    return f"{' or '.join(KINDS[kind] for kind in kinds)}{_range(part)}{such_as}"


def _range(part: Mapping[str, Any]) -> str:
    low, above, high = (part.get(k) for k in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    lower = f" >= {low:g}" if low is not None else f" > {above:g}" if above is not None else ""
    upper = f" <= {high:g}" if high is not None else ""
    return f"{lower}{' and' if lower and upper else ''}{upper}"


def one_message_each(lines: Iterable[str]) -> list[str]:
    """Return the mistakes in their order; equal ones become one line that lists their places.

    Args:
        lines: One for each mistake; a line without a place is kept.
    """
    groups: dict[str, list[str]] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        groups.setdefault(found["words"] if found else line, []).append(line)
    return [_together(list(dict.fromkeys(equal))) for equal in groups.values()]


def _together(lines: Sequence[str]) -> str:
    """Return lines with the same words as one line."""
    found = [match for line in lines if (match := _LINE.fullmatch(line))]
    if len(found) < 2:
        return lines[0]
    places = dict.fromkeys(match["place"] for match in found)
    values = dict.fromkeys(match["value"] for match in found if match["value"] is not None)
    got = f" (got {_listed(list(values), _MOST_VALUES)})" if values else ""
    return f"{_listed(_shortened(places), _MOST_PLACES)}: {found[0]['words']}{got}"


def _shortened(places: Iterable[str]) -> list[str]:
    """Return places; one that follows another in the same mapping or list is only `.name`."""
    short, before = [], ""
    for place in places:
        inside, dot, name = place.rpartition(".")
        short.append(f".{name}" if dot and inside == before else place)
        before = inside
    return short


def _listed(items: Sequence[str], most: int) -> str:
    """Return the first items with commas, and how many more there are."""
    left = len(items) - most
    return ", ".join(items[:most]) + (f" and {left} more" if left > 0 else "")
