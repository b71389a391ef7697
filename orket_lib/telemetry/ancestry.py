"""Which Snakemake processes a process runs under."""

from __future__ import annotations

from pathlib import Path

import psutil


def snakemakes_above(process: psutil.Process) -> list[psutil.Process]:
    """Return the Snakemake processes above a process, the innermost first."""
    return [parent for parent in process.parents() if _is_snakemake(parent)]


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    # `python .../bin/snakemake ...` or `python -m snakemake ...`; a shell that runs our rule may
    # mention Snakemake in its text and is not it.
    return any(Path(word).stem == "snakemake" for word in words[:3])
