"""The raw samples of a measurement: one CSV file per session, kept compressed with its attempt."""

from __future__ import annotations

import gzip
from pathlib import Path

from orket_lib.artifacts.io import write_bytes

_PATTERN = "samples-*.csv"


def samples_path(folder: Path, session: int) -> Path:
    """Return where the samples of a session go while it lasts."""
    return folder / f"samples-{session}.csv"


def remove_samples(folder: Path) -> None:
    """Remove the samples of an older measurement; its attempt has them."""
    for path in folder.glob(_PATTERN):
        path.unlink()


def archive_samples(folder: Path, attempt: Path) -> None:
    """Put the samples of all sessions beside an attempt, compressed."""
    for path in sorted(folder.glob(_PATTERN)):
        # No time stamp in the file: equal samples, equal bytes.
        write_bytes(attempt / f"{path.name}.gz", gzip.compress(path.read_bytes(), mtime=0))
