"""What the commands that measure share: the selected tasks, and progress on the console."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.commands._common import tell
from orket_lib.tasks.bank import Task, load_bank, selection
from orket_lib.vocabulary.errors import ArtifactError, Refused

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from orket_lib.artifacts.sidecar import SidecarMeasurement
    from orket_lib.artifacts.spec import ArtifactIdentity
    from orket_lib.providers.base import Source

_REPORTS = 4  # lines per measurement where the output is no terminal


def add_gates(parser: argparse.ArgumentParser) -> None:
    """Add the verdicts that a measurement asks before it starts."""
    parser.add_argument("--canary", type=Path, help="verdict of the canary; refuses if it failed")
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight; likewise")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add from where the model is served."""
    parser.add_argument("--artifact", type=Path, required=True, help="model file, or tag")
    parser.add_argument("--place", type=Path, help="where it is served, as the workflow writes it")


def source(options: argparse.Namespace, identity: ArtifactIdentity) -> Source:
    """Return from where a cell is served.

    Raises:
        ArtifactError: Its file is gone, or the place can't be read.
    """
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.serving import Place
    from orket_lib.measure.sources import source_of

    place = read_model(options.place, Place) if options.place else Place()
    found = source_of(identity, options.artifact, place)
    if found.artifact and not found.artifact.is_file():
        again = "; delete the .ready files beside it, and it is made again"
        raise ArtifactError(
            f"{found.artifact.as_posix()}: the model file is gone"
            f"{again if identity.quantized_from else ''}"
        )
    return found


def tell_failure(measurement: SidecarMeasurement) -> None:
    """Say what was in the way of a sidecar's own measurement, in the words of whoever served."""
    serving = measurement.serving
    if serving and serving.failure:
        tell(f"{serving.failure}: {serving.failure_detail}")


def require_gates(options: argparse.Namespace) -> None:
    """Refuse to measure after a preflight or canary that failed, or a canary that is stale.

    Raises:
        Refused: Saying which.
    """
    from orket_lib.artifacts.canary import CanaryVerdict
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.preflight import Preflight
    from orket_lib.measure.gates import require_fresh_canary, require_preflight
    from orket_lib.telemetry.fingerprint import boot_id
    from orket_lib.vocabulary.clock import utc_now

    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        verdict = read_model(options.canary, CanaryVerdict)
        if not verdict.passed:  # the leaf that enforces the verdict says why, once
            raise Refused(f"not measured, because the canary failed: see {options.canary}")
        require_fresh_canary(verdict, utc_now(), boot_id())


def tasks_of(bank_path: Path, spec: MeasurementSpec) -> tuple[Task, ...]:
    """Return the tasks that a spec selects.

    Raises:
        ArtifactError: The bank no longer holds exactly these tasks.
    """
    bank = load_bank(bank_path)
    wanted = set(spec.tasks.ids)
    tasks = tuple(task for task in bank.tasks if task.id in wanted)
    if selection(bank, tasks) != spec.tasks:
        raise ArtifactError(f"{bank_path}: changed since this measurement was planned; run again")
    return tasks


@contextmanager
def console_progress(title: str) -> Iterator[ConsoleProgress]:
    """Draw a bar with the remaining time, or a few plain lines where there is no terminal."""
    if not sys.stderr.isatty():
        yield ConsoleProgress(title, None)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        yield ConsoleProgress(title, bar)


class ConsoleProgress:
    """Progress of one measurement; see `measure.progress.Progress`."""

    def __init__(self, title: str, bar: RichProgress | None) -> None:
        self._title = title
        self._bar = bar
        self._task: TaskID | None = bar.add_task(title, total=None) if bar else None
        self._total = 0
        self._done = 0

    def plan(self, steps: int, done: int) -> None:
        """Show how many steps there are."""
        self._total, self._done = steps, done
        if self._bar and self._task is not None:
            self._bar.update(self._task, total=steps, completed=done)
        elif done:
            tell(f"{self._title}: going on after {done} of {steps} steps")

    def say(self, text: str) -> None:
        """Print a line."""
        tell(f"{self._title}: {text}")

    def step(self) -> None:
        """Show that one step is done."""
        self._done += 1
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        elif self._done % max(1, -(-self._total // _REPORTS)) == 0 or self._done == self._total:
            tell(f"{self._title}: {self._done} of {self._total} steps")
