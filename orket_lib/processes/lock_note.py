"""The note of who holds a device: for others who wait, and against a lock whose file vanished.

The lock is what keeps measurements apart; but whoever deletes its file takes it from its holder
without that anybody notices, since the next one makes a new file and locks that. So the note says
which process measures, and lies there as long as it does. Other users may write into the folder: a
note is read with care, and nothing of it goes to a terminal as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orket_lib.processes.living import is_alive
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.text import printable

_MOST_BYTES, _LONGEST = 4096, 120
_CLOCK_S = 2.0  # by which setting the clock may move the start of a process
# A pipe in the place of a note is not waited for, and no link is followed.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Note(BaseModel):
    """Who holds a device.

    Attributes:
        pid: Of the process.
        started_s: When that was started, as `psutil` says it.
        purpose: What for.
        since: UTC.
        since_s: The same in seconds since 1970.
    """

    model_config = ConfigDict(strict=True)

    pid: int = Field(gt=0)
    started_s: float
    purpose: str
    since: str
    since_s: float

    @classmethod
    def of_us(cls, purpose: str) -> Note:
        """Return the note of this process."""
        own = psutil.Process()
        return cls(
            pid=own.pid,
            started_s=own.create_time(),
            purpose=purpose,
            since=utc_now(),
            since_s=time.time(),
        )

    @property
    def alive(self) -> bool:
        """Whether the process can be seen to run."""
        with contextlib.suppress(psutil.AccessDenied):
            return is_alive(self.pid, self.started_s, _CLOCK_S)
        return False

    def __str__(self) -> str:
        minutes = max(0.0, time.time() - self.since_s) / 60
        since = printable(self.since, _LONGEST)
        purpose = printable(self.purpose, _LONGEST)
        return f"process {self.pid} ({purpose}), since {since}, {minutes:.0f} min ago"


def read_note(path: Path) -> Note | None:
    """Return a note; None where there is none, or something that is none."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    with contextlib.suppress(OSError, ValidationError), os.fdopen(descriptor, "rb") as stream:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Note.model_validate_json(stream.read(_MOST_BYTES))
    return None


def write_note(path: Path, note: Note) -> None:
    """Leave a note; courtesy only, so that a full disk stops nobody."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as stream:  # never into what a link points to
            json.dump(note.model_dump(), stream)
            if os.chmod in os.supports_fd:  # who waits is to read it, whatever the umask is
                os.chmod(stream.fileno(), 0o644)  # noqa: PTH101 - never what a link points to


def remove_note(path: Path, note: Note) -> None:
    """Take back a note of ours."""
    if read_note(path) == note:
        with contextlib.suppress(OSError):
            path.unlink()
