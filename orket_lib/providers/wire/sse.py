"""Server-sent events: from the raw reads of a stream to its events with arrival times.

Reads are stamped when they arrive and parsed after the stream has ended, so parsing costs the
measurement nothing. An event carries the stamp of the read that completed it. One read may hold
several events, an event or a UTF-8 character may be split over reads, and lines that start with `:`
are pings: none of that changes what comes out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

DONE = "[DONE]"


@dataclass(frozen=True)
class Event:
    """One event: when its last byte arrived (seconds, the clock of the reads), and its data."""

    at_s: float
    data: str


def events(reads: Iterable[tuple[float, bytes]]) -> Iterator[Event]:
    """Yield the events of a stream; an unfinished one at the end is dropped."""
    pending = b""
    data: list[bytes] = []
    for at_s, read in reads:
        *lines, pending = (pending + read).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield Event(at_s, b"\n".join(data).decode("utf-8", errors="replace"))
                data = []


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that an event's data is.

    Raises:
        ValueError: It is something else.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"not a JSON object: {text[:80]}")
    return value
