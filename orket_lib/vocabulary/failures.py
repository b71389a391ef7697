"""What was seen of a failure to serve, typed: so that it can be judged, and not only read.

Whoever sees a failure says what it saw (`FailureEvidence`, on every `ProviderError`). What that
means for the cell, and whether it may pass, is judged where the whole of a cell is known.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from orket_lib.vocabulary.nulls import Null


class Phase(StrEnum):
    """When it was seen."""

    LOADING = "loading"  # until the server says that it has loaded its model
    SERVING = "serving"


class Cause(StrEnum):
    """What made serving fail, as far as the one who saw it can tell."""

    ENDED = "ended"  # a process of ours; how is in `FailureEvidence.ending`
    UNREADABLE = "unreadable"  # the file is no model, or not a whole one
    NOT_LOADED = "not_loaded"  # a server says that it doesn't load this model
    NO_ROOM = "no_room"  # too little memory, by our count or the server's
    SMALLER_CONTEXT = "smaller_context"
    ELSEWHERE = "elsewhere"  # the model runs on another machine than its server
    NO_FILE = "no_file"  # it is not there, or may not be read
    NOT_SET_UP = "not_set_up"  # a program, a key or an address is missing or does not work
    PORT_TAKEN = "port_taken"
    OCCUPIED = "occupied"  # others use the server, or it is busy with something else
    NOT_OFFERED = "not_offered"  # a server that is not ours has another model, or no longer ours
    GONE = "gone"  # a server that is not ours is not there, or went away
    TIMEOUT = "timeout"
    ANSWERED = "answered"  # a request was answered with an error, or with what is no answer
    INSTRUMENT = "instrument"  # what we measure or judge with does not work
    UNKNOWN = "unknown"


class Starved(StrEnum):
    """Which memory a server says that it could not get."""

    MAIN = "main memory"
    GPU = "a GPU's memory"


# Signals that a program brings upon itself; every other one comes from outside.
_OWN_FAULTS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")
_SHELL_BASE = 128  # a script around a server says 128 + N where signal N ended that
_WINDOWS_FAULT = 0xC0000000  # exit codes from here on are exceptions that were not handled


@dataclass(frozen=True)
class Ending:
    """How a process ended that held a model, for the most part one of ours.

    Attributes:
        code: Exit status; -N for signal N; None where its supervisor was killed.
        lived_s: Since its start, in seconds.
        pid: Of the process; None where only its end was heard of.
        peak_rss_mib: The most memory that it, or one of its children, had at once, as the kernel
            counted; None where that does not count.
    """

    code: int | None
    lived_s: float
    pid: int | None = None
    peak_rss_mib: float | None = None

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended it; None where none did."""
        if self.code is None:
            return "SIGKILL"
        number = -self.code if self.code < 0 else self.code - _SHELL_BASE
        try:
            return signal.Signals(number).name if self.code else None
        except ValueError:
            return None

    @property
    def by_itself(self) -> bool:
        """Whether it ended of its own accord: neither killed, nor asked to end, which is 0."""
        if self.code is None or self.code == 0:
            return False
        return self.signal is None or self.signal in _OWN_FAULTS or self.code >= _WINDOWS_FAULT

    def __str__(self) -> str:
        if self.code is None:
            return "the server ended with its supervisor, which was killed"
        return f"the server ended with exit status {self.code}"


@dataclass(frozen=True)
class Shortage:
    """How much memory was too little.

    Attributes:
        needed_mib: By an estimate, ours or the server's.
        free_mib: When it was looked.
        total_mib: That there is; None where who tells the rest does not know it.
    """

    needed_mib: float
    free_mib: float
    total_mib: float | None = None


@dataclass(frozen=True)
class FailureEvidence:
    """What was seen of one failure.

    Attributes:
        cause: What made it fail.
        phase: When.
        ending: Of the process, where one of ours ended.
        shortage: By numbers, where there was too little memory.
        starved: The memory that the server said it could not get, in its last words.
        file_changed: The file that it served is no longer the one that it was given.
    """

    cause: Cause
    phase: Phase = Phase.SERVING
    ending: Ending | None = None
    shortage: Shortage | None = None
    starved: Starved | None = None
    file_changed: bool = False


@dataclass(frozen=True)
class Holder:
    """A program, all of its processes together, and the memory that it holds."""

    name: str
    mib: float


@dataclass(frozen=True)
class MemoryEvidence:
    """What could be seen of the memory when a server had failed.

    Attributes:
        place: Which memory, in words.
        limit_mib: That counts here: a limit of this container or job, or all that there is.
        free_mib: Now that the server is gone.
        ours_mib: The most that our own tree of processes had at once, the server included.
        others_mib: That all other processes hold now.
        holder: The one among them that holds most.
        needed_mib: That the model takes, by estimate.
        killed_by_kernel: Whether the kernel recorded that it killed for want of memory.
    """

    place: str
    limit_mib: float | Null
    free_mib: float | Null
    ours_mib: float | Null
    others_mib: float | Null
    holder: Holder | Null
    needed_mib: float | Null
    killed_by_kernel: bool | Null
