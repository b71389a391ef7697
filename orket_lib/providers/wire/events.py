"""Streams of JSON: from raw reads to events, each with its arrival time.

Reads are stamped when they arrive and parsed after the stream has ended, so parsing costs the
measurement nothing. An event carries the stamp of the read that completed it. A read may hold
several events, and an event or a UTF-8 character may be split over reads; the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.io import json_value

DONE = "[DONE]"
ERROR = "error"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

StampedReads = Iterable[tuple[float, bytes]]


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        at_s: When its last byte arrived, in seconds by the clock of the reads.
        data: Its data.
        name: Its type, which most servers leave out.
        whole: False for one that the end of the body ended, without its blank line or line end. It
            may have been cut, or the server leaves these out.
    """

    at_s: float
    data: str
    name: str = ""
    whole: bool = True


@dataclass(frozen=True)
class _Line:
    at_s: float
    content: bytes
    whole: bool = True


def sse_events(reads: StampedReads) -> Iterator[Event]:
    """Yield server-sent events, including one that only the end of the body ends.

    Lines end with LF, CRLF or CR. Comments are dropped.
    """
    data: list[bytes] = []
    name, at_s = "", 0.0
    for line in _lines(reads):
        at_s = line.at_s
        field, _, value = line.content.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip().decode("utf-8", errors="replace")
        elif field == b"error" and value:  # of older llama.cpp servers, in place of `data`
            data.append(value.removeprefix(b" "))
            name = ERROR
        elif not line.content:
            if data:
                yield _event(at_s, data, name, whole=True)
            data, name = [], ""
    if data:
        yield _event(at_s, data, name, whole=False)


def ndjson_lines(reads: StampedReads) -> Iterator[Event]:
    """Yield the lines of newline-delimited JSON that are not empty."""
    for line in _lines(reads):
        if content := line.content.strip():
            yield _event(line.at_s, [content], "", line.whole)


def _event(at_s: float, data: list[bytes], name: str, whole: bool) -> Event:
    return Event(at_s, b"\n".join(data).decode("utf-8", errors="replace"), name, whole)


def _lines(reads: StampedReads) -> Iterator[_Line]:
    """Yield lines without their ends; the last one is not whole if it has no end."""
    pending, at_s = b"", 0.0
    first, after_cr = True, False
    for at_s, read in reads:
        if after_cr and read:  # the second half of a CRLF ends no other line
            read = read.removeprefix(b"\n")
            after_cr = False
        after_cr = after_cr or read.endswith(b"\r")
        content = (pending + read).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, pending = content.split(b"\n")
        for line in lines:
            yield _Line(at_s, line.removeprefix(_BYTE_ORDER_MARK) if first else line)
            first = False
    if pending:
        yield _Line(at_s, pending.removeprefix(_BYTE_ORDER_MARK) if first else pending, whole=False)


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object in an event's data.

    Raises:
        ValueError: The data is something else.
    """
    value = json_value(text)
    if not isinstance(value, dict):
        raise ValueError(f"not a JSON object: {text[:80]}")
    return value
