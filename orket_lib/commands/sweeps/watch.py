"""`orket watch`: show a sweep that runs in another terminal."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from orket_lib.artifacts.progress import PROGRESS, ProgressFile, Start
from orket_lib.commands._common import tell
from orket_lib.commands._screen import Screen
from orket_lib.processes.process_end import is_alive
from orket_lib.vocabulary.errors import ArtifactError

_POLL_S = 0.5


EXAMPLES = (
    "orket watch",
    "orket watch mine",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("sweep", nargs="?", help="name of a sweep; default: the one that runs here")


def run(options: argparse.Namespace) -> int:
    """Show a running sweep until it ends, or until Ctrl-C."""
    path, start = _running(options.sweep)
    screen = Screen(lambda: path, "Ctrl-C leaves; the sweep goes on")
    screen.begin()
    try:
        while is_alive(start.pid, start.started_s):
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        screen.end()
        return 0
    screen.end()
    if screen.progress:
        screen.print_failures(screen.progress.failed, ".snakemake/log")
    tell("the sweep has ended; `orket show` prints its result")
    return 0


def _running(sweep: str | None) -> tuple[Path, Start]:
    """Return the progress file of a running sweep, and its first line.

    Raises:
        ArtifactError: None runs here.
    """
    for path in sorted(Path("logs").glob(f"{sweep or '*'}/{PROGRESS}")):
        file = ProgressFile(path)
        next(file.new_events(), None)
        if file.start and is_alive(file.start.pid, file.start.started_s):
            return path, file.start
    which = f"sweep `{sweep}` does not run" if sweep else "no sweep runs"
    raise ArtifactError(f"{which} in this folder; `orket status` shows what is measured")
