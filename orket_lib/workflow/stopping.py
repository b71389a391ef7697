"""Ctrl-C and SIGTERM end a sweep within seconds, and the same command goes on from there.

By itself, Snakemake waits for the running job after SIGTERM, which may take an hour, and exits with
1 after both. A terminal sends Ctrl-C to all processes, `kill` to one only: so the jobs are ended
here, those that don't end by themselves without mercy. Their journals have all that is measured.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil

from orket_lib.artifacts.progress import announced, note_stop
from orket_lib.report.progress import progress_of
from orket_lib.vocabulary.errors import EXIT_INTERRUPTED

_ASKED_S = 1.0  # until jobs that have not seen Ctrl-C are asked to end
_KILLED_S = 3.5


def stop_on_signals(say: Callable[[str], None]) -> None:
    """Handle Ctrl-C and SIGTERM; called when Snakemake has set its own handlers.

    Args:
        say: Prints a message.
    """

    def stop(number: int, frame: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        note_stop()
        threading.Thread(target=_end_jobs, args=(number == signal.SIGINT,), daemon=True).start()
        atexit.register(_exit, say)  # last registered, first called: no result follows
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(each) is not signal.SIG_IGN:  # as a shell does it for `command &`
            signal.signal(each, stop)


def _end_jobs(by_terminal: bool) -> None:
    begin_s = time.monotonic()
    if by_terminal:
        time.sleep(_ASKED_S)
    for job in _jobs():
        with contextlib.suppress(psutil.Error):
            job.terminate()
    while (jobs := _jobs()) and time.monotonic() - begin_s < _KILLED_S:
        time.sleep(0.1)
    for job in jobs:
        with contextlib.suppress(psutil.Error):
            job.kill()


def _jobs() -> list[psutil.Process]:
    """Return the processes of our commands; their servers and helpers end with them."""
    jobs = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "orket_lib" in process.cmdline():
                jobs.append(process)
    return jobs


def _exit(say: Callable[[str], None]) -> None:
    path = announced()
    progress = progress_of(path) if path else None
    where = f" at {progress.place()}" if progress else ""
    say(f"stopped{where}; the same command goes on from there")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)  # Snakemake would exit with 1
