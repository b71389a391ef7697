"""Full and read-only disks: checked before a sweep starts, and again at exit.

Such a disk may fail a job, a program that it starts, or Snakemake itself, each with its own
message. The last message names the cause.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from pathlib import Path

from orket_lib.artifacts.disk import require_space
from orket_lib.vocabulary.errors import ArtifactError

_WRITTEN = tuple(map(Path, ("storage", "results", "logs", ".snakemake")))


def watch_disks(tell: Callable[[str], None]) -> None:
    """Raise if a disk can't be written to, and check the disks again at exit.

    Args:
        tell: Prints a line to the terminal.

    Raises:
        ArtifactError: Names the disk.
    """
    require_space(_WRITTEN)
    atexit.register(_tell_full_disk, tell)
    # If Snakemake can't write its log file, a traceback per line would bury the lines on the
    # terminal.
    logging.raiseExceptions = False


def _tell_full_disk(tell: Callable[[str], None]) -> None:
    try:
        require_space(_WRITTEN)
    except ArtifactError as error:
        tell(f"error: {error}")
