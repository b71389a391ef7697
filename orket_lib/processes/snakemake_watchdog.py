"""Ends a measurement when the Snakemake that started it is gone.

`kill -9` on Snakemake leaves its jobs alive (init adopts the shell in between). Such a job would
hold the device and write into a folder that the next Snakemake uses. So the workflow writes its own
identity into the environment, and a job watches that process and exits immediately when it is gone,
even if it was gone before the job began to watch. All results are in the journal already, and the
server ends with its parent.
"""

from __future__ import annotations

import os
import threading
import time

from orket_lib.processes.process_end import is_alive, started_at

SNAKEMAKE = "ORKET_SNAKEMAKE"
_POLL_S = 0.5


def announce_snakemake() -> None:
    """Write this process's identity into the environment; called by the workflow itself."""
    os.environ[SNAKEMAKE] = identity_of(os.getpid())


def identity_of(pid: int) -> str:
    """Return a word for a process that no later process has."""
    return f"{pid}:{started_at(pid)}"


def die_with_snakemake() -> None:
    """Start watching; does nothing when no Snakemake has announced itself."""
    announced = os.environ.get(SNAKEMAKE)
    if announced:
        pid, _, started_s = announced.partition(":")
        arguments = (int(pid), float(started_s))
        threading.Thread(target=_watch, args=arguments, daemon=True).start()


def _watch(pid: int, started_s: float) -> None:
    while is_alive(pid, started_s):
        time.sleep(_POLL_S)
    os._exit(1)
