"""Tools on offer, and the calls in a streamed answer, which arrive in pieces.

A piece names its call by an index, which servers number from 0, from 1 or with gaps; some leave it
out, and some send every call under index 0 with an id of its own. The first piece of a call has its
name. Arguments are JSON text in pieces, or an object where a server sends calls as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.text import well_formed


def offered(tools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the request fields that offer tools; none without tools."""
    return {"tools": [{"type": "function", "function": tool} for tool in tools]} if tools else {}


@dataclass
class _Call:
    """A call as far as it has arrived."""

    index: int | None
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class CallPieces:
    """The calls of one answer, put together from their pieces."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, message: dict[str, Any]) -> str:
        """Read the `tool_calls` of a delta or message, and return the text that they add.

        Raises:
            RequestFailed: They have the wrong type.
        """
        pieces = message.get("tool_calls") or []
        if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
            raise _invalid(pieces)
        return "".join(map(self._piece, pieces))

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the calls in the order of their index, else of their arrival."""
        indexed = all(call.index is not None for call in self._calls)
        ordered = sorted(self._calls, key=lambda call: call.index or 0) if indexed else self._calls
        return tuple(
            ToolCall(name=well_formed(call.name), arguments=well_formed("".join(call.arguments)))
            for call in ordered
        )

    def _piece(self, piece: dict[str, Any]) -> str:
        function = section(piece, "function")
        name, arguments = text(function, "name") or "", function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        elif arguments is not None and not isinstance(arguments, str):
            raise _invalid(arguments)
        call = self._call_of(count(piece, "index"), text(piece, "id") or "", name)
        added = "" if name == call.name else name  # some servers repeat it with every piece
        call.name += added
        call.arguments.append(arguments or "")
        return added + (arguments or "")

    def _call_of(self, index: int | None, id_: str, name: str) -> _Call:
        """Return the call that a piece belongs to: a new one, or the last with its index."""
        same = [call for call in self._calls if index is None or call.index == index]
        last = same[-1] if same else None
        if last is None or (id_ and last.id and id_ != last.id):
            return self._begun(index, id_)
        if index is None and name and id_ == "":  # without index and id, a name begins a call
            return self._begun(index, id_)
        last.id = last.id or id_
        return last

    def _begun(self, index: int | None, id_: str) -> _Call:
        self._calls.append(_Call(index, id_))
        return self._calls[-1]


def _invalid(found: object) -> RequestFailed:
    return RequestFailed(f"the stream has invalid tool calls: {str(found)[:80]}", Fault.NOT_JSON)
