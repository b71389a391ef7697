"""A note of which process holds a device, read by those that wait for it.

It also covers a lock file that was deleted: the lock itself is then lost silently, because the next
process creates a new file and locks that. The note still names the process that measures. Other
users may write into the folder, so a note is untrusted: it is size-limited, validated, and escaped
before it is printed.
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

from orket_lib.processes.process_end import is_alive, started_at
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.text import printable

_MOST_BYTES, _LONGEST = 4096, 120
# Neither waits for a pipe in place of a note nor follows a link.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Note(BaseModel):
    """Which process holds a device.

    Attributes:
        pid: Of the process.
        started_s: When the process was started, see `started_at`.
        purpose: What it holds the device for.
        since: When it took the lock, UTC.
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
        return cls(
            pid=os.getpid(),
            started_s=started_at(os.getpid()),
            purpose=purpose,
            since=utc_now(),
            since_s=time.time(),
        )

    @property
    def alive(self) -> bool:
        """Whether the process is known to run."""
        with contextlib.suppress(psutil.AccessDenied):
            return is_alive(self.pid, self.started_s)
        return False

    def __str__(self) -> str:
        minutes = max(0.0, time.time() - self.since_s) / 60
        since = printable(self.since, _LONGEST)
        purpose = printable(self.purpose, _LONGEST)
        return f"process {self.pid} ({purpose}), since {since}, {minutes:.0f} min ago"


def read_note(path: Path) -> Note | None:
    """Return a note; None where there is no valid one."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    with contextlib.suppress(OSError, ValidationError), os.fdopen(descriptor, "rb") as stream:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Note.model_validate_json(stream.read(_MOST_BYTES))
    return None


def write_note(path: Path, note: Note) -> None:
    """Write a note; a full disk is ignored, because the lock works without it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as stream:  # never into what a link points to
            json.dump(note.model_dump(), stream)
            if os.chmod in os.supports_fd:  # readable by waiting users, whatever the umask is
                os.chmod(stream.fileno(), 0o644)  # noqa: PTH101 - never what a link points to


def remove_note(path: Path, note: Note) -> None:
    """Remove a note of this process."""
    if read_note(path) == note:
        with contextlib.suppress(OSError):
            path.unlink()
