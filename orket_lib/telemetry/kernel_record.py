"""What the kernel wrote down of processes that it killed for want of memory.

Its record is for root on most machines; in a container its process ids may be of another count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orket_lib.vocabulary.nulls import Null

KMSG = Path("/dev/kmsg")
NOT_READABLE = Null("KERNEL_RECORD_NOT_READABLE")
_RECORD_BYTES = 16 * 1024  # more than the longest; the kernel refuses a smaller buffer
_MOST_RECORDS = 200_000
_LINE = re.compile(r"^\d+,(?P<number>\d+),[^;]*;(?P<text>.*)$")
_KILL = re.compile(r"out of memory.*killed process (?P<pid>\d+) \((?P<name>.*?)\)", re.I)
_HELD = re.compile(r"(?:anon|file|shmem)-rss:(\d+)kB")


@dataclass(frozen=True)
class OomKill:
    """One process that was killed.

    Attributes:
        pid: As the kernel counts.
        name: Of the program, as far as the kernel keeps it.
        rss_mib: That it held.
    """

    pid: int
    name: str
    rss_mib: float


def last_record(path: Path = KMSG) -> int | Null:
    """Return the number of the newest record, so that later ones can be told from older ones."""
    texts = _texts(path)
    return NOT_READABLE if texts is None else max((number for number, _ in texts), default=-1)


def oom_kills_since(number: int, path: Path = KMSG) -> tuple[OomKill, ...] | Null:
    """Return the processes that were killed for want of memory after a record."""
    texts = _texts(path)
    if texts is None:
        return NOT_READABLE
    return tuple(kill for later, text in texts if later > number for kill in _kills(text))


def _kills(text: str) -> Iterator[OomKill]:
    found = _KILL.search(text)
    if found:
        held = sum(map(int, _HELD.findall(text))) / 1024
        yield OomKill(int(found["pid"]), found["name"], held)


def _texts(path: Path) -> list[tuple[int, str]] | None:
    """Return all records with their numbers; None where they may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    pieces: list[bytes] = []
    try:
        with suppress(BlockingIOError):  # that was the newest one
            for _ in range(_MOST_RECORDS):
                try:
                    piece = os.read(descriptor, _RECORD_BYTES)
                except BrokenPipeError:  # overwritten while it was read; the next one is there
                    continue
                if not piece:
                    break
                pieces.append(piece)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    lines = b"".join(pieces).decode(errors="replace").splitlines()
    return [(int(found["number"]), found["text"]) for line in lines if (found := _LINE.match(line))]
