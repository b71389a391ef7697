"""Grades the calls of tools in an answer: names, arguments and their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.reading.json_values import strict_json
from orket_lib.reading.statements import Unparseable
from orket_lib.tasks.answers import normalize
from orket_lib.tasks.grading.checks import shown, verdicts
from orket_lib.tasks.grading.text_evaluation import ExpectedCall, ToolCalls
from orket_lib.tasks.grading.text_graders import parsed_json, same_json

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
# A call in a program: `call = {"name": ...`, `print('<tool_call>{"name": ...`.
_IN_CODE = re.compile(
    r"(?:\w\(|=)\s*[bfr]?[\"']{0,3}\s*(?:<tool_call>\s*)?\[?\s*\{\s*[\"']\w+[\"']\s*:"
)
_ARGUMENTS = ("arguments", "parameters")  # what models call them
_Call = tuple[str, dict[str, Any]]


def tool_call(asked: ToolCalls, answer: str) -> list[Check]:
    """Return the one check: these tools are called, in this order, with these arguments.

    Raises:
        Unparseable: The answer calls nothing, or something that is no call.
    """
    found = [_call(value) for value in _stated(asked, answer)]
    return verdicts([asked.type], [next(_differences(asked.expected, found), "")])


def _stated(asked: ToolCalls, answer: str) -> list[Any]:
    """Return the JSON of each call that an answer writes."""
    text = normalize(answer)
    if _IN_CODE.search(text):
        raise Unparseable(f"a call inside a program: {shown(text)}")
    if _OPEN in text and not asked.form_counts:
        parts = [part.partition(_CLOSE)[0] for part in text.split(_OPEN)[1:]]
        return [_parsed(part) for part in parts]
    value = parsed_json(asked, answer)
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    return value if isinstance(value, list) else [value]


def _call(value: Any) -> _Call:
    """Return name and arguments of a call, as any of the usual forms has them."""
    inner = value.get("function") if isinstance(value, dict) else None
    call = inner if isinstance(inner, dict) else value
    if isinstance(call, dict) and isinstance(call.get("name"), str):
        given: Any = next((call[key] for key in _ARGUMENTS if key in call), {})
        arguments = _parsed(given) if isinstance(given, str) else given
        if isinstance(arguments, dict):
            return call["name"], arguments
    raise Unparseable(f"no call with name and arguments: {shown(value)}")


def _parsed(text: str) -> Any:
    try:
        return strict_json(text)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not JSON: {error}"[:200]) from None


def _differences(wanted: Sequence[ExpectedCall], found: Sequence[_Call]) -> Iterator[str]:
    if len(found) != len(wanted):
        yield f"expected calls of {len(wanted)} tools, got {len(found)}"
        return
    for call, (name, given) in zip(wanted, found, strict=True):
        if name != call.name:
            yield f"expected a call of {shown(call.name)}, got {shown(name)}"
        # An argument that is null was left out.
        named = {key: value for key, value in given.items() if value is not None}
        for key in dict.fromkeys([*call.arguments, *named]):
            if key not in call.arguments:
                yield f"argument {shown(key)} was not asked for"
            elif not same_json(call.arguments[key], given.get(key)):
                yield (
                    f"argument {shown(key)}: expected {shown(call.arguments[key])}, "
                    f"got {shown(given.get(key))}"
                )
