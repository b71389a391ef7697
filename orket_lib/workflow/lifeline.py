"""A measurement dies with the Snakemake that started it, and a server with its measurement.

`kill -9` on Snakemake leaves its jobs alive (the shell in between is simply adopted by init), and a
job that goes on would hold the device and write into a folder that the next Snakemake believes to
be its own. So the workflow writes its own identity into the environment, and a job watches that
process and ends itself, at once, when it is gone, also when it is gone before the job has begun to
watch. Everything that was measured is in the journal already; the server ends with its parent.
"""

from __future__ import annotations

import os
import threading
import time

import psutil

_VARIABLE = "ORKET_SNAKEMAKE"
_POLL_S = 0.5
_SAME_START_S = 0.1


def announce_snakemake() -> None:
    """Write this process's identity into the environment; called by the workflow itself."""
    own = psutil.Process()
    os.environ[_VARIABLE] = f"{own.pid}:{own.create_time()}"


def die_with_snakemake() -> None:
    """Start watching; does nothing when no Snakemake has announced itself."""
    announced = os.environ.get(_VARIABLE)
    if announced:
        pid, _, started_s = announced.partition(":")
        arguments = (int(pid), float(started_s))
        threading.Thread(target=_watch, args=arguments, daemon=True).start()


def _watch(pid: int, started_s: float) -> None:
    while _alive(pid, started_s):
        time.sleep(_POLL_S)
    os._exit(1)


def _alive(pid: int, started_s: float) -> bool:
    """Tell whether the process lives; another one may have its number by now."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started_s) < _SAME_START_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
