"""Newline-delimited JSON: from the raw reads of a stream to its lines with arrival times.

As with events (`sse`), reads are stamped when they arrive and parsed when the stream has ended; a
line carries the stamp of the read that completed it. A read may hold several lines, and a line or a
UTF-8 character may be split over reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orket_lib.providers.wire.sse import Event


def lines(reads: Iterable[tuple[float, bytes]]) -> Iterator[Event]:
    """Yield the lines of a stream that are not empty; an unfinished one at the end is dropped."""
    pending = b""
    for at_s, read in reads:
        *whole, pending = (pending + read).split(b"\n")
        for line in whole:
            if text := line.strip():
                yield Event(at_s, text.decode("utf-8", errors="replace"))
