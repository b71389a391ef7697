"""Config errors in words: which key, what is allowed, what was given, and the nearest name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails

from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.config.secrets import without_secrets
from orket_lib.vocabulary.validation import allowed, alternatives, nearest, words_of

_LONGEST = 100
_OWN_WORDS = "value_error"  # raised by our validators, which say what is allowed themselves
_OTHER_FORM = "string_pattern_mismatch"
_OF_A_KEY = "[key]"  # pydantic's last step to an error of a mapping's key


def got(value: object, key: str = "") -> str:
    """Return `got <value>`, shortened, and with secrets hidden."""
    shown = json.dumps(without_secrets(value, key), ensure_ascii=False, default=str)
    return f"got {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + '...'}"


def exactly(value: float) -> str:
    """Return a number as an option of a command, which reads back the same one."""
    return repr(float(value)).removesuffix(".0")


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
    if item["loc"][-1] == _OF_A_KEY and item["type"] == "enum":
        names = re.findall(r"'(\w+)'", item["ctx"]["expected"])
        return f"{key}.{item['loc'][-2]}: {_no_such_key(str(item['loc'][-2]), names)}"
    value, path = values[key], [spelled.get(key, key)]
    schema: Mapping[str, Any] = _schemas()[key]
    for step in item["loc"][1:]:
        inner = _inner(schema, value, step)
        if inner is None:
            break
        schema, value = inner
        path.append(str(step))
    if item["type"] == _OWN_WORDS:
        message = words_of(item)
    else:
        choices = [choice for part in alternatives(schema) for choice in part.get("enum", ())]
        hint = nearest(value, choices) if isinstance(value, str) else ""
        message = f"must be {allowed(schema)}{hint}"
        if item["type"] == _OTHER_FORM and " such as " not in message:
            message += f", {SweepConfig.model_fields[key].description}"
    # The name of a variable; of our own keys, only this one may hold a secret by mistake.
    name = path[-1] if len(path) > 1 or key == "api_key" else ""
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
        return f"{spelled}: {_no_such_key(spelled, sorted(inner))}"
    return f"{spelled}: there is no such key{nearest(key, names)}"


def _no_such_key(key: str, names: Sequence[str]) -> str:
    """Return what is wrong about a key, with the most similar one, or all that there are."""
    hint = nearest(key, names) or f"; there are {', '.join(names)}"
    return f"there is no such key{hint}"


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each key, references resolved."""
    schema = SweepConfig.model_json_schema()
    definitions = schema.get("$defs", {})

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        reference = part.get("$ref", "").rsplit("/", 1)[-1]
        whole = part | definitions.get(reference, {})
        if "anyOf" in whole:
            whole["anyOf"] = [resolved(one) if "$ref" in one else one for one in whole["anyOf"]]
        return {name: value for name, value in whole.items() if name != "title"}

    return {key: resolved(part) for key, part in schema["properties"].items()}


def _inner(
    schema: Mapping[str, Any], value: object, step: str | int
) -> tuple[Mapping[str, Any], object] | None:
    """Return schema and value one step inside a container; None for pydantic's own steps."""
    for part in alternatives(schema):
        if isinstance(step, int) and "items" in part and isinstance(value, Sequence):
            return part["items"], value[step]
        if "additionalProperties" in part and isinstance(value, Mapping) and step in value:
            return part["additionalProperties"], value[step]
    return None
