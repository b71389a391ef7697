"""A measurement dies with the Snakemake that started it, and a server with its measurement.

`kill -9` on Snakemake leaves its jobs alive (the shell in between is simply adopted by init), and a
job that goes on would hold the device and write into a folder that the next Snakemake believes to
be its own. So a job watches the Snakemake processes above it and ends itself, at once, when one is
gone. Everything that was measured is in the journal already; the server ends with its parent.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil

_POLL_S = 0.5


def die_with_snakemake() -> None:
    """Start watching; does nothing when no Snakemake is above this process."""
    watched = [process for process in psutil.Process().parents() if _is_snakemake(process)]
    if watched:
        threading.Thread(target=_watch, args=(watched,), daemon=True).start()


def _watch(processes: list[psutil.Process]) -> None:
    while all(process.is_running() for process in processes):
        time.sleep(_POLL_S)
    os._exit(1)


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    # `python /path/bin/snakemake ...` or `python -m snakemake ...`; a shell that runs our rule
    # may mention Snakemake in its text and is not it.
    return any(Path(word).stem == "snakemake" for word in words[:3])
