"""The raw samples of a measurement, files of each session, kept compressed with its attempt."""

from __future__ import annotations

import gzip
from pathlib import Path

from orket_lib.artifacts.io import write_bytes

_PATTERNS = ("samples-*.csv", "samples-*.gpus.jsonl")


def samples_path(folder: Path, session: int) -> Path:
    """Return where the samples of a session go while it lasts."""
    return folder / f"samples-{session}.csv"


def gpu_samples_of(samples: Path) -> Path:
    """Return where the samples of the GPUs go, beside those of the host."""
    return samples.with_suffix(".gpus.jsonl")


def remove_samples(folder: Path) -> None:
    """Remove the samples of an older measurement; its attempt has them."""
    for path in _all(folder):
        path.unlink()


def archive_samples(folder: Path, attempt: Path) -> None:
    """Put the samples of all sessions beside an attempt, compressed."""
    for path in _all(folder):
        # No time stamp in the file: equal samples, equal bytes.
        write_bytes(attempt / f"{path.name}.gz", gzip.compress(path.read_bytes(), mtime=0))


def _all(folder: Path) -> list[Path]:
    return sorted(path for pattern in _PATTERNS for path in folder.glob(pattern))
