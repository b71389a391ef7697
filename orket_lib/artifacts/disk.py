"""Full disks: what is said of one, and when nothing more is begun."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from orket_lib.vocabulary.errors import ArtifactError

_MIB = 1024**2
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Below it, the files of one job may not fit, nor what Snakemake keeps of it.
LEAST_FREE_MIB = 4


def why_not_written(error: OSError, path: Path) -> str:
    """Return why a file can't be written; of a full disk also which one, and what to do."""
    reason = error.strerror or str(error)
    return f"{reason}: {_fullness(path)}" if error.errno in _FULL else reason


def free_mib(path: Path) -> float:
    """Return how much is free where a path lies, or would lie, in MiB."""
    return shutil.disk_usage(_existing(path)).free / _MIB


def require_space(paths: Iterable[Path], least_mib: float = LEAST_FREE_MIB) -> None:
    """Refuse to begin what would not fit.

    Args:
        paths: Files or folders that are going to be written, there or not.
        least_mib: That must be free for each.

    Raises:
        ArtifactError: Naming the first full disk.
    """
    for path in paths:
        if free_mib(path) < least_mib:
            raise ArtifactError(f"{path.as_posix()}: {_fullness(path)}")


def disk_of(path: Path) -> Path:
    """Return where the file system is mounted that a path lies, or would lie, on."""
    place = _existing(path)
    return next(folder for folder in (place, *place.parents) if os.path.ismount(folder))


def _fullness(path: Path) -> str:
    return (
        f"the disk at {disk_of(path)} is full ({free_mib(path):.1f} MiB free). Make room on it and "
        "type the same command: it goes on from there, what was measured is kept"
    )


def _existing(path: Path) -> Path:
    """Return a path, or the nearest folder above it that is there."""
    whole = path.resolve()
    return next(place for place in (whole, *whole.parents) if place.exists())
