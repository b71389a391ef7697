"""Config errors in words: which key, what is allowed, what was given, and the nearest name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails

from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.config.secrets import without_secrets

_LONGEST = 100
_OWN_WORDS = "value_error"  # raised by our validators, which say what is allowed themselves
_JSON_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "object": "a mapping",
    "null": "null",
}


def got(value: object, key: str = "") -> str:
    """Return `got <value>`, shortened, and with secrets hidden."""
    shown = json.dumps(without_secrets(value, key), ensure_ascii=False, default=str)
    return f"got {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + '...'}"


def exactly(value: float) -> str:
    """Return a number as an option of a command, which reads back the same one."""
    return repr(float(value)).removesuffix(".0")


def nearest(name: str, names: Collection[str]) -> str:
    """Return `; did you mean ...?` for the most similar name, or nothing."""
    plain = {known.lower().replace("-", "_"): known for known in names}
    found = difflib.get_close_matches(name.lower().replace("-", "_"), plain, n=1)
    return f"; did you mean `{plain[found[0]]}`?" if found else ""


def field_problem(item: ErrorDetails, values: Mapping[str, Any], spelled: Mapping[str, str]) -> str:
    """Return one pydantic error as `key: what is allowed (got value)`.

    Args:
        item: The error.
        values: The flat settings that were checked.
        spelled: The keys as the user wrote them.
    """
    key = str(item["loc"][0])
    if item["type"] == "missing":
        return f"{key}: missing ({SweepConfig.model_fields[key].description})"
    value, path = values[key], [spelled.get(key, key)]
    schema: Mapping[str, Any] = _schemas()[key]
    for step in item["loc"][1:]:
        inner = _inner(schema, value, step)
        if inner is None:
            break
        schema, value = inner
        path.append(str(step))
    if item["type"] == _OWN_WORDS:
        message = item["msg"].removeprefix("Value error, ")
    else:
        hint = nearest(value, _choices(schema)) if isinstance(value, str) else ""
        message = f"must be {_allowed(schema)}{hint}"
    name = path[-1] if len(path) > 1 else ""  # the name of a variable; keys of ours are no secrets
    return f"{'.'.join(path)}: {message} ({got(value, name)})"


def unknown_key(key: str, spelled: str) -> str:
    """Return the problem of an unknown key, with the most similar known one.

    Args:
        key: The flat key.
        spelled: As the user wrote it: `canary.run` if the key is in a section.
    """
    section, dot, _ = spelled.partition(".")
    names = {*SweepConfig.model_fields, *SECTIONS}
    if dot:
        prefix = f"{section}_"
        names = {name for name in SweepConfig.model_fields if name.startswith(prefix)}
        inner = {f"{section}.{name.removeprefix(prefix)}" for name in names}
        hint = nearest(spelled, inner) or f"; there are {', '.join(sorted(inner))}"
    else:
        hint = nearest(key, names)
    return f"{spelled}: there is no such key{hint}"


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each key, references resolved."""
    schema = SweepConfig.model_json_schema()
    definitions = schema.get("$defs", {})

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        reference = part.get("$ref", "").rsplit("/", 1)[-1]
        whole = part | definitions.get(reference, {})
        return {name: value for name, value in whole.items() if name != "title"}

    return {key: resolved(part) for key, part in schema["properties"].items()}


def _alternatives(schema: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return found


def _inner(
    schema: Mapping[str, Any], value: object, step: str | int
) -> tuple[Mapping[str, Any], object] | None:
    """Return schema and value one step inside a container; None for pydantic's own steps."""
    for part in _alternatives(schema):
        if isinstance(step, int) and "items" in part and isinstance(value, Sequence):
            return part["items"], value[step]
        if "additionalProperties" in part and isinstance(value, Mapping) and step in value:
            return part["additionalProperties"], value[step]
    return None


def _choices(schema: Mapping[str, Any]) -> list[str]:
    return [choice for part in _alternatives(schema) for choice in part.get("enum", ())]


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return what a JSON Schema allows, in words."""
    return " or ".join(_allowed_part(part) for part in _alternatives(schema))


def _allowed_part(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        *first, last = (f"`{choice}`" for choice in part["enum"])
        return f"{', '.join(first)} or {last}"
    if "const" in part:
        return str(part["const"])
    if "title" in part:  # our own words for an alternative
        return str(part["title"])
    if part["type"] == "array":
        return f"a list of {_allowed(part['items']).removeprefix('a ')}"
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    words = " or ".join(_JSON_TYPES[kind] for kind in kinds)
    examples = " or ".join(f"`{example}`" for example in part.get("examples", ()))
    return f"{words}{_range(part)}{' such as ' if examples else ''}{examples}"


def _range(part: Mapping[str, Any]) -> str:
    low, above, high = (part.get(k) for k in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    lower = f" >= {low:g}" if low is not None else f" > {above:g}" if above is not None else ""
    upper = f" <= {high:g}" if high is not None else ""
    return f"{lower}{' and' if lower and upper else ''}{upper}"
