"""Calls of tools, as a model asks for them through a server's API."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import Field

from orket_lib.artifacts.base import Record


class ToolCall(Record):
    """One call."""

    name: str
    arguments: str = Field(description="JSON as the server sent it, which may be invalid")

    @property
    def text(self) -> str:
        """The call as a JSON object; invalid arguments make invalid JSON."""
        return f'{{"name": {json.dumps(self.name)}, "arguments": {self.arguments.strip() or "{}"}}}'


def with_calls(text: str, calls: Sequence[ToolCall]) -> str:
    """Return all that was answered, as it is compared between runs and quants."""
    return "\n".join(filter(None, [text.strip(), calls_text(calls)])) if calls else text


def calls_text(calls: Sequence[ToolCall]) -> str:
    """Return calls as JSON: an object for one, else a list; "" without any."""
    if len(calls) == 1:
        return calls[0].text
    return f"[{', '.join(call.text for call in calls)}]" if calls else ""
