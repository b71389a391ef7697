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

import psutil

from orket_lib.telemetry.ancestry import snakemakes_above

_POLL_S = 0.5


def die_with_snakemake() -> None:
    """Start watching; does nothing when no Snakemake is above this process."""
    watched = snakemakes_above(psutil.Process())
    if watched:
        threading.Thread(target=_watch, args=(watched,), daemon=True).start()


def _watch(processes: list[psutil.Process]) -> None:
    while all(map(_alive, processes)):
        time.sleep(_POLL_S)
    os._exit(1)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
