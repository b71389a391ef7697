"""What a llama.cpp server last said of its troubles, in the formats of old and new builds.

New builds write time, level and text on a line (`0.00.006.374 E load: ...`); old ones only the
text, which has to be told from the rest by its words.
"""

from __future__ import annotations

import re
from pathlib import Path

_LEVELLED = re.compile(r"^\S+ ([IWED]) +(.+)$")
_WORDS = re.compile(r"\b(error|fail(ed|ure)?|invalid|unable|can'?not|couldn'?t|unknown)\b", re.I)
_TAIL_BYTES = 8000
_SHOWN_LINES, _SHOWN_CHARS = 2, 200


def tail_of(log: Path) -> str:
    """Return the end of a server's log; empty when there is none."""
    try:
        content = log.read_bytes()[-_TAIL_BYTES:]
    except OSError:
        return ""
    return content.decode(errors="replace")


def errors_in(text: str) -> str:
    """Return the first errors that a log tells, in the server's own words; empty without any."""
    found = [said for line in text.splitlines() if (said := _error_of(line.strip()))]
    return "; ".join(said[:_SHOWN_CHARS] for said in found[:_SHOWN_LINES])


def _error_of(line: str) -> str | None:
    levelled = _LEVELLED.match(line)
    if levelled:
        return levelled[2] if levelled[1] == "E" else None
    return line if _WORDS.search(line) else None
