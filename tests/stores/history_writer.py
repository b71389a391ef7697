"""A program that appends to a history file: `history_writer.py FILE NAME COUNT [how]`."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orket_lib.stores import files
from orket_lib.stores.files import Entry, HistoryFile
from orket_lib.vocabulary.errors import ArtifactError

HEADER = {"schema_version": "lines.v1", "of": "tests"}
UNPRIVILEGED = 65534


class Line(BaseModel):
    writer: str
    number: int


def line(writer: str, number: int) -> Entry:
    return {"writer": writer, "number": number}


def lines(path: Path) -> HistoryFile:
    return HistoryFile(path, HEADER, Line)


def with_entry(entry: Entry, history: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (*history, entry)


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: Path, name: str, count: int, how: str = "") -> int:
    if how == "die-before-rename":
        os.fsync = die  # type: ignore[assignment]
    elif how == "limit-file-size":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    elif how == "unprivileged" and os.geteuid() == 0:
        os.setgid(UNPRIVILEGED)
        os.setuid(UNPRIVILEGED)
    elif how == "do-not-wait":
        files._LONGEST_WAIT_S = 0.0
    try:
        for number in range(count):
            entry = line(name, number)
            lines(path).update(partial(with_entry, entry))
    except ArtifactError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
