"""The files with the raw samples of a measurement, kept compressed."""

from __future__ import annotations

import gzip
from pathlib import Path

from orket_lib.artifacts.io import write_bytes

_PATTERNS = ("samples-*.csv", "samples-*.gpus.jsonl")


def samples_path(folder: Path, session: int) -> Path:
    """Return the path of a session's samples of the host."""
    return folder / f"samples-{session}.csv"


def gpu_samples_of(samples: Path) -> Path:
    """Return the path of the GPU samples that belong to samples of the host."""
    return samples.with_suffix(".gpus.jsonl")


def compress_samples(folder: Path) -> None:
    """Write compressed copies of all samples; sealing removes the originals."""
    for path in sorted(path for pattern in _PATTERNS for path in folder.glob(pattern)):
        # Without a time stamp, equal samples give equal bytes.
        write_bytes(path.with_name(f"{path.name}.gz"), gzip.compress(path.read_bytes(), mtime=0))
