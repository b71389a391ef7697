"""Errors in the log of a llama.cpp server, in the formats of old and new builds.

New builds write time, level and text on a line (`0.00.006.374 E load: ...`). Old builds write only
the text, so errors are recognized by their words.
"""

from __future__ import annotations

import re
from pathlib import Path

from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence, Phase, Starved

_LEVELLED = re.compile(r"^\S+ ([IWED]) +(.+)$")
_WORDS = re.compile(r"\b(error|fail(ed|ure)?|invalid|unable|can'?not|couldn'?t|unknown)\b", re.I)
_STARVED = re.compile(
    r"out of memory|failed to allocate|unable to allocate|bad_alloc|outof(device|host)memory"
    r"|device memory allocation",
    re.I,
)
_OF_A_GPU = re.compile(r"cuda|rocm|(?<![a-z])hip|vulkan|sycl|metal|gpu|device", re.I)
_NO_PORT = re.compile(r"(couldn't|failed to) bind|address already in use", re.I)
_NO_PROGRAM = (126, 127)  # a shell's status for one that is not executable or missing
_TAIL_BYTES = 8000
_SHOWN_LINES, _SHOWN_CHARS = 2, 200


def tail_of(log: Path) -> str:
    """Return the end of a server's log; empty when there is no log."""
    try:
        content = log.read_bytes()[-_TAIL_BYTES:]
    except OSError:
        return ""
    return content.decode(errors="replace")


def errors_in(text: str) -> str:
    """Return the first errors in a log; empty if there are none."""
    found = [error for line in text.splitlines() if (error := _error_of(line.strip()))]
    return "; ".join(error[:_SHOWN_CHARS] for error in found[:_SHOWN_LINES])


def starved_in(text: str) -> Starved | None:
    """Return which memory ran out according to a server's messages; None if none did."""
    lines = [line for line in text.splitlines() if _STARVED.search(line)]
    if not lines:
        return None
    return Starved.GPU if any(map(_OF_A_GPU.search, lines)) else Starved.MAIN


def end_seen(ending: Ending, log: Path, phase: Phase) -> FailureEvidence:
    """Return the evidence of how a server that we started ended, with its log.

    Args:
        ending: How it ended.
        log: Its messages.
        phase: When it ended.
    """
    said = tail_of(log)
    cause = Cause.ENDED
    if ending.code in _NO_PROGRAM:
        cause = Cause.NOT_SET_UP
    elif phase is Phase.LOADING and ending.by_itself and _NO_PORT.search(said):
        cause = Cause.PORT_TAKEN
    return FailureEvidence(cause, phase, ending, starved=starved_in(said))


def _error_of(line: str) -> str | None:
    levelled = _LEVELLED.match(line)
    if levelled:
        return levelled[2] if levelled[1] == "E" else None
    return line if _WORDS.search(line) else None
