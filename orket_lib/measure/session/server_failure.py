"""What a server that failed said at last: which failure it was, and in which words."""

from __future__ import annotations

from pathlib import Path

from orket_lib.providers.llama_cpp.log import errors_in, starved_in, tail_of
from orket_lib.vocabulary.errors import OrketError
from orket_lib.vocabulary.statuses import RunStatus


def failure_status(status: RunStatus, log: Path) -> RunStatus:
    """Return the status of a failure: another one where the server's log speaks of memory."""
    return RunStatus.OUT_OF_MEMORY if starved_in(tail_of(log)) else status


def with_last_words(error: OrketError, log: Path) -> str:
    """Return an error with what the server's log says about it, and where that lies."""
    said, told = errors_in(tail_of(log)), str(error)
    words = f": {said}" if said and said not in told else ""
    return f"{told}{words} (see {log.as_posix()})"
