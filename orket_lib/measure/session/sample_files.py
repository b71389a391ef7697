"""The raw samples of a measurement: files of each session, kept compressed with it."""

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


def compress_samples(folder: Path) -> None:
    """Write the samples of all sessions once more, compressed; sealing removes the originals."""
    for path in sorted(path for pattern in _PATTERNS for path in folder.glob(pattern)):
        # No time stamp in the file: equal samples, equal bytes.
        write_bytes(path.with_name(f"{path.name}.gz"), gzip.compress(path.read_bytes(), mtime=0))
