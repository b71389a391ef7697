"""The disks that a sweep writes to: looked at before it begins, and when it has ended.

In between, many programs may be the one that finds a disk full: a job, what it starts, Snakemake
itself with its records and its log. Each says what it could not write; the last word says why.
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
    """Refuse to begin on a full disk; at the exit, say that one has become full.

    Args:
        tell: Prints a line for the person at the terminal.

    Raises:
        ArtifactError: Naming the disk.
    """
    require_space(_WRITTEN)
    atexit.register(_tell_full_disk, tell)
    # Snakemake's log may be what can't be written: the terminal has its lines, too, and a traceback
    # for each would bury them.
    logging.raiseExceptions = False


def _tell_full_disk(tell: Callable[[str], None]) -> None:
    try:
        require_space(_WRITTEN)
    except ArtifactError as error:
        tell(f"error: {error}")
