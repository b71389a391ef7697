"""Streams of JSON: from raw reads to events, each with its arrival time.

Reads are stamped when they arrive and parsed after the stream has ended, so parsing costs the
measurement nothing. An event carries the stamp of the read that completed it. A read may hold
several events, and an event or a UTF-8 character may be split over reads; the result is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

DONE = "[DONE]"

StampedReads = Iterable[tuple[float, bytes]]


@dataclass(frozen=True)
class Event:
    """One event: when its last byte arrived (seconds, the clock of the reads), and its data."""

    at_s: float
    data: str


def sse_events(reads: StampedReads) -> Iterator[Event]:
    """Yield server-sent events; comments and an unfinished event at the end are dropped."""
    data: list[bytes] = []
    for at_s, line in _lines(reads):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield Event(at_s, b"\n".join(data).decode("utf-8", errors="replace"))
            data = []


def ndjson_lines(reads: StampedReads) -> Iterator[Event]:
    """Yield the lines of newline-delimited JSON that are neither empty nor unfinished."""
    for at_s, line in _lines(reads):
        if text := line.strip():
            yield Event(at_s, text.decode("utf-8", errors="replace"))


def _lines(reads: StampedReads) -> Iterator[tuple[float, bytes]]:
    pending = b""
    for at_s, read in reads:
        *lines, pending = (pending + read).replace(b"\r\n", b"\n").split(b"\n")
        yield from ((at_s, line) for line in lines)


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object in an event's data.

    Raises:
        ValueError: The data is something else.
    """
    value = json_value(text)
    if not isinstance(value, dict):
        raise ValueError(f"not a JSON object: {text[:80]}")
    return value


def json_value(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is none, or is nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
