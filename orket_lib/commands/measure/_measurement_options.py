"""What the commands that measure share: gates, sources, the selected tasks, and progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.commands._common import tell
from orket_lib.tasks.bank import Task, load_bank, selected
from orket_lib.vocabulary.errors import ArtifactError, Refused

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from orket_lib.artifacts.measurements.request import AnyAsked, Recipe
    from orket_lib.artifacts.measurements.sidecar import SidecarMeasurement
    from orket_lib.providers.base import Source

_REPORTS = 4  # lines per measurement where the output is no terminal

Say = Callable[[str], None]


def add_preflight(parser: argparse.ArgumentParser) -> None:
    """Add the verdict of the preflight, which a measurement asks before it starts."""
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight; refuses on a no")


def add_gates(parser: argparse.ArgumentParser) -> None:
    """Add the verdicts that a measurement asks before it starts."""
    add_preflight(parser)
    parser.add_argument("--canary", type=Path, help="verdict of the canary; refuses if it failed")


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add where models are served, and where measurements lie."""
    parser.add_argument("--place", type=Path, help="where it is served, as the workflow writes it")
    parser.add_argument(
        "--storage-root", type=Path, default=Path("storage"), help="default: %(default)s"
    )


def add_again(parser: argparse.ArgumentParser, parts: Sequence[str]) -> None:
    """Add what is measured whatever the store has, and which attempt this is."""
    parser.add_argument("--again", choices=parts, help="measure it whatever the store has")
    parser.add_argument("--attempt", type=int, default=0, help="number that the receipt carries")


def sources(options: argparse.Namespace, asked: AnyAsked) -> Callable[[Say], Source]:
    """Return what finds, or makes, the file that serves a cell, once it is to be loaded.

    Raises (when called):
        ArtifactError: The file is gone, or the place can't be read.
        QuantizeError: It could not be made.
    """

    def find(say: Say) -> Source:
        from orket_lib.artifacts.io import read_model
        from orket_lib.artifacts.measurements.serving import Place
        from orket_lib.providers.base import Source

        place = read_model(options.place, Place) if options.place else Place()
        found = Source(None if asked.spec.artifact.tag else Path(asked.artifact), place)
        if found.artifact and not found.artifact.is_file():
            if asked.recipe is None:
                raise ArtifactError(f"{found.artifact.as_posix()}: the model file is gone")
            _make(asked, asked.recipe, found.artifact, say)
        return found

    return find


def _make(asked: AnyAsked, recipe: Recipe, out: Path, say: Say) -> None:
    """Make a model file that is not there, and keep a record of how."""
    from orket_lib.artifacts.io import write_model
    from orket_lib.commands._common import provenance
    from orket_lib.providers.gguf.quantize import Order, quantize

    identity = asked.spec.artifact
    order = Order(
        quant_tag=asked.spec.quant_tag,
        base=Path(recipe.base),
        base_sha256=identity.quantized_from,
        imatrix=Path(recipe.imatrix) if recipe.imatrix else None,
        imatrix_sha256=identity.imatrix,
        binary=recipe.binary,
        threads=os.cpu_count() or 1,
        allow_requantize=recipe.allow_requantize,
    )
    made = quantize(order, out, say, provenance())
    if made:
        write_model(out.with_suffix(".json"), made)


def tell_failure(measurement: SidecarMeasurement) -> None:
    """Say what was in the way of a sidecar's own measurement, in the words of whoever served."""
    serving = measurement.serving
    if serving and serving.failure:
        tell(f"{serving.failure}: {serving.failure_detail}")


def require_preflight_of(options: argparse.Namespace) -> None:
    """Refuse to measure after a preflight that failed, and where the disk is full by now.

    Raises:
        Refused: Naming what is missing.
        ArtifactError: Naming the disk.
    """
    from orket_lib.artifacts.disk import require_space
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.views.preflight import Preflight
    from orket_lib.preflight.gates import require_preflight

    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    require_space([options.storage_root])


def opened_gates(options: argparse.Namespace) -> Callable[[], None]:
    """Return what refuses to measure after a preflight or a canary that failed.

    Whatever the store has may be taken all the same: that measures nothing.

    Raises (when called):
        Refused: Saying which.
    """

    def require() -> None:
        from orket_lib.artifacts.io import read_model
        from orket_lib.artifacts.measurements.canary import CanaryVerdict

        require_preflight_of(options)
        if options.canary and not read_model(options.canary, CanaryVerdict).passed:
            # The leaf that enforces the verdict says why, once.
            raise Refused(f"not measured, because the canary failed: see {options.canary}")

    return require


def tasks_of(bank_path: Path, wanted: TaskSelection) -> tuple[Task, ...]:
    """Return the tasks of a selection.

    Raises:
        ArtifactError: The bank no longer holds exactly these tasks.
    """
    tasks = selected(load_bank(bank_path), wanted)
    if tasks is None:
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
