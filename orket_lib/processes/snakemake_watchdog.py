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

from orket_lib.processes.living import is_alive

_VARIABLE = "ORKET_SNAKEMAKE"
_POLL_S = 0.5


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
    while is_alive(pid, started_s):
        time.sleep(_POLL_S)
    os._exit(1)
