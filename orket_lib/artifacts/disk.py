"""Full and read-only disks: checked before writing, and explained in errors."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.units import MIB

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# With less, the files of one job and Snakemake's metadata may not fit.
LEAST_FREE_MIB = 4
_GOES_ON = "run the same command again: measurements are kept, and it continues from there"


def why_not_written(error: OSError, path: Path) -> str:
    """Return why a file can't be written; for a full disk also which disk, and what to do."""
    reason = error.strerror or str(error)
    return f"{reason}: {_fullness(path)}" if error.errno in _FULL else reason


def free_mib(path: Path) -> float:
    """Return the free space on the disk of an existing or future path, in MiB."""
    return shutil.disk_usage(_existing(path)).free / MIB


def require_space(paths: Iterable[Path], least_mib: float = LEAST_FREE_MIB) -> None:
    """Check that all folders can be written to, and that their disks have free space.

    Args:
        paths: Files or folders to write, existing or not.
        least_mib: Required free space.

    Raises:
        ArtifactError: A folder can't be written to, or a disk is full; names the first one.
    """
    for path in paths:
        if not os.access(_existing(path), os.W_OK):
            raise ArtifactError(
                f"{path.as_posix()}: {_existing(path)} can't be written to. Make it writable and "
                f"{_GOES_ON}"
            )
        if free_mib(path) < least_mib:
            raise ArtifactError(f"{path.as_posix()}: {_fullness(path)}")


def disk_of(path: Path) -> Path:
    """Return the mount point of an existing or future path."""
    start = _existing(path)
    return next(folder for folder in (start, *start.parents) if os.path.ismount(folder))


def _fullness(path: Path) -> str:
    return (
        f"the disk at {disk_of(path)} is full ({free_mib(path):.1f} MiB free). Make room on it and "
        f"{_GOES_ON}"
    )


def _existing(path: Path) -> Path:
    """Return a path, or its nearest parent that exists."""
    whole = path.resolve()
    return next(parent for parent in (whole, *whole.parents) if parent.exists())
