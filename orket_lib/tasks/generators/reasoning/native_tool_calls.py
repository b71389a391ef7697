"""Native tool calls: the requests of `tool_calls`, with the tools offered through the API."""

from __future__ import annotations

import json
import random
from typing import Any

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning.tool_calls import Tool, call_of, tools_on_offer

NAME = "native_tool_calls"
SUMMARY = "Call one of 1, 5 or 20 tools that are offered through the server's API."

_WHOLE, _TEXT = {"type": "integer"}, {"type": "string"}
# Short, because twenty tools have to fit into a small context. One call only: whether a model may
# make several at once is up to its template.
_TYPES: dict[str, dict[str, str]] = {
    "count": _WHOLE,
    "minutes": _WHOLE,
    "urgent": {"type": "boolean"},
    "time": {**_TEXT, "description": "HH:MM, 24 hours"},
}


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    tools = tools_on_offer(dice, level)
    request, call = call_of(dice, level, dice.choice(tools))
    return Draft(
        request if level < 3 else f"{request}\nLeave out arguments that are not given.",
        {"type": "tool_call", "expected": call},
        json.dumps(call),
        tools=tuple(map(_schema, tools)),
    )


def _schema(tool: Tool) -> dict[str, Any]:
    name, arguments = tool
    return {
        "name": name,
        "description": f"{name.replace('_', ' the ').capitalize()}.",
        "parameters": {
            "type": "object",
            "properties": {one.name: _TYPES.get(one.name, _TEXT) for one in arguments},
        },
    }
