"""Typed evidence of a failure to serve, so that code can judge it.

Every `ProviderError` carries a `FailureEvidence`. What it means for the cell, and whether it is
temporary, is decided where everything about the cell is known.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from orket_lib.vocabulary.nulls import Null


class Phase(StrEnum):
    """When a failure was seen."""

    LOADING = "loading"  # until the server reports that its model is loaded
    SERVING = "serving"


class Cause(StrEnum):
    """Why serving failed, as far as it was visible."""

    ENDED = "ended"  # our process ended; see `FailureEvidence.ending`
    UNREADABLE = "unreadable"  # the file is not a model, or incomplete
    NOT_LOADED = "not_loaded"  # the server refuses to load this model
    NO_ROOM = "no_room"  # too little memory, by our estimate or the server's
    SMALLER_CONTEXT = "smaller_context"
    ELSEWHERE = "elsewhere"  # the model runs on another machine than its server
    NO_FILE = "no_file"  # the file is missing or can't be read
    NOT_SET_UP = "not_set_up"  # a program, a key or an address is missing or does not work
    PORT_TAKEN = "port_taken"
    OCCUPIED = "occupied"  # the server is in use by others, or busy
    NOT_OFFERED = "not_offered"  # a shared server does not have the model, or no longer has it
    GONE = "gone"  # a shared server is not reachable, or went away
    TIMEOUT = "timeout"
    ANSWERED = "answered"  # a request got an error, or an invalid answer
    INSTRUMENT = "instrument"  # the sampler or the sandbox failed
    UNKNOWN = "unknown"


class Starved(StrEnum):
    """Memory that a server failed to allocate, by its own message."""

    MAIN = "main memory"
    GPU = "a GPU's memory"


# Signals that a program causes itself; all others come from outside.
_OWN_FAULTS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")
_SHELL_BASE = 128  # a wrapper script exits with 128 + N after signal N
_WINDOWS_FAULT = 0xC0000000  # higher exit codes are unhandled exceptions


@dataclass(frozen=True)
class Ending:
    """How a process that held a model ended, usually a child of ours.

    Attributes:
        code: Exit status; -N for signal N; None if it ended with its supervisor, which was killed.
        lived_s: Seconds since its start.
        pid: Process id; None if unknown.
        peak_rss_mib: Peak memory of it or of one of its children, as counted by the kernel; None
            where the kernel does not count it.
    """

    code: int | None
    lived_s: float
    pid: int | None = None
    peak_rss_mib: float | None = None

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended it; None without one."""
        if self.code is None:
            return "SIGKILL"
        number = -self.code if self.code < 0 else self.code - _SHELL_BASE
        try:
            return signal.Signals(number).name if self.code else None
        except ValueError:
            return None

    @property
    def by_itself(self) -> bool:
        """Whether it crashed: it was neither killed nor asked to end (exit status 0)."""
        if self.code is None or self.code == 0:
            return False
        return self.signal is None or self.signal in _OWN_FAULTS or self.code >= _WINDOWS_FAULT

    def __str__(self) -> str:
        if self.code is None:
            return "the server ended with its supervisor, which was killed"
        return f"the server ended with exit status {self.code}"


@dataclass(frozen=True)
class Shortage:
    """Numbers of a memory shortage.

    Attributes:
        needed_mib: Estimate, ours or the server's.
        free_mib: Free memory at that time.
        total_mib: Total memory; None if unknown.
    """

    needed_mib: float
    free_mib: float
    total_mib: float | None = None


@dataclass(frozen=True)
class FailureEvidence:
    """What was seen of one failure.

    Attributes:
        cause: Why it failed.
        phase: When it failed.
        ending: How our process ended, if it did.
        shortage: Numbers of a memory shortage, if there was one.
        starved: Memory that the server failed to allocate, from the end of its log.
        file_changed: Whether the served file changed since it was given to the server.
    """

    cause: Cause
    phase: Phase = Phase.SERVING
    ending: Ending | None = None
    shortage: Shortage | None = None
    starved: Starved | None = None
    file_changed: bool = False


@dataclass(frozen=True)
class Holder:
    """A program, with the memory of all its processes."""

    name: str
    mib: float


@dataclass(frozen=True)
class MemoryEvidence:
    """State of the memory after a server failed.

    Attributes:
        place: Which memory, in words.
        limit_mib: Limit of this container or job, else the total.
        free_mib: Free memory after the server ended.
        ours_mib: Peak of the server; under a limit, with what the harness holds.
        others_mib: Memory of all other processes now; under a limit, of those that share it.
        holder: The largest of them.
        needed_mib: Estimated memory of the model.
        killed_by_kernel: Whether the kernel logged an out-of-memory kill.
    """

    place: str
    limit_mib: float | Null
    free_mib: float | Null
    ours_mib: float | Null
    others_mib: float | Null
    holder: Holder | Null
    needed_mib: float | Null
    killed_by_kernel: bool | Null
