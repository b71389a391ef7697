"""`logs/<sweep>/progress.jsonl`: what a running sweep does, one line per event.

Snakemake's process writes the first line, and our logger plugin one for each job; jobs add their
steps and messages. The terminal, `orket status` and `orket watch` read it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from orket_lib.artifacts.base import Record

PROGRESS = "progress.jsonl"
_FILE = "ORKET_PROGRESS"
_SHOWN = "ORKET_PROGRESS_SHOWN"
_STOPPED = "ORKET_STOPPED"

MeasuringKind = Literal["cell", "canary", "sidecar", "context", "thermal", "fidelity"]


class Due(Record):
    """A job that loads a model."""

    kind: MeasuringKind
    title: str
    seconds: float | None = Field(description="estimate; null when there is none")


class Start(Record):
    """The first line."""

    sweep: str
    pid: int = Field(description="of Snakemake")
    started_s: float = Field(
        description="when that process was started: on Linux since the boot, else since 1970"
    )
    at_s: float = Field(description="seconds since 1970")
    measuring: dict[str, Due] = Field(description="jobs that load a model, by their first output")
    others: int = Field(description="number of all other jobs that run a command")
    at_most: bool = Field(description="whether jobs may turn out not to be needed")


class Event(Record):
    """Any other line."""

    kind: Literal[
        "started",  # a job
        "finished",  # a job
        "failed",  # a job: `text` is its error
        "plan",  # steps of the measurement `title`
        "step",  # one of them is done
        "say",  # what the measurement `title` does
        "tell",  # a message
        "result",  # a message: what a measurement has shown
        "stopped",  # by the user
    ]
    at_s: float = Field(default_factory=time.time)
    job: str = Field("", description="its first output")
    title: str = Field("", description="of a measurement; of a failed job its rule")
    text: str = ""
    total: int = 0
    done: int = 0


def announce(path: Path, start: Start) -> None:
    """Begin a file, to which jobs that are started later add; without room there is none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{start.model_dump_json()}\n", encoding="utf-8")
        os.environ[_FILE] = str(path.absolute())


def announced() -> Path | None:
    """Return the file that this process or its Snakemake has begun."""
    path = os.environ.get(_FILE)
    return Path(path) if path else None


def show_elsewhere(shown: bool) -> None:
    """Set whether the progress file is shown; if so, jobs write nothing to the terminal."""
    if shown:
        os.environ[_SHOWN] = "1"
    else:
        os.environ.pop(_SHOWN, None)


def shown_elsewhere() -> bool:
    """Tell whether what is added to the file appears on the terminal."""
    return _SHOWN in os.environ and _FILE in os.environ


def add(event: Event) -> None:
    """Add a line to the announced file, if there is one; a full disk is ignored."""
    if path := announced():
        line = event.model_dump_json(exclude_defaults=True, exclude={"at_s"})
        with suppress(OSError), path.open("ab") as stream:
            stream.write(f'{{"at_s":{event.at_s:.3f},{line[1:]}\n'.encode())


def note_stop() -> None:
    """Note that the user ends the sweep: what fails from now on is no failure."""
    os.environ[_STOPPED] = "1"
    add(Event(kind="stopped"))


def stopped() -> bool:
    """Tell whether the user has ended the sweep that this process runs."""
    return _STOPPED in os.environ


class ProgressFile:
    """Reads a file while it grows.

    Args:
        path: Of the file.

    Attributes:
        start: The first line; None until it has been read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.start: Start | None = None

    def new_events(self) -> Iterator[Event]:
        """Yield the events that were added since the last call; a damaged line is left out."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                whole, _, _ = stream.read().rpartition(b"\n")
        except OSError:
            return
        if not whole:
            return
        self._offset += len(whole) + 1
        for line in whole.splitlines():
            with suppress(ValidationError):
                if self.start is None:
                    self.start = Start.model_validate_json(line)
                else:
                    yield Event.model_validate_json(line)
