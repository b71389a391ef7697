"""Whether a process still runs, and how a child ended, with what the kernel counted of it.

`Popen.wait` is not used where the count matters: it discards the peak memory of the child.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from orket_lib.vocabulary.units import MIB

if TYPE_CHECKING:
    import psutil

_POLL_S = 0.005


class End(NamedTuple):
    """The end of a process.

    Attributes:
        code: Exit status; -N for signal N.
        peak_rss_mib: Peak memory of the process, or of one child that it waited for; None where
            the system doesn't report it.
    """

    code: int
    peak_rss_mib: float | None


def wait_for_end(child: subprocess.Popen[bytes], within_s: float | None = None) -> End | None:
    """Return how a child ended; None when it still runs after `within_s`.

    Args:
        child: Of this process.
        within_s: How long to wait; None means for ever.
    """
    if sys.platform == "win32":
        try:
            return End(child.wait(within_s), None)
        except subprocess.TimeoutExpired:
            return None
    if child.returncode is not None:
        return End(child.returncode, None)
    deadline = None if within_s is None else time.monotonic() + within_s
    while True:
        try:
            pid, status, usage = os.wait4(child.pid, 0 if deadline is None else os.WNOHANG)
        except ChildProcessError:  # another thread of this process has waited for it
            return End(child.wait(), None)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)  # it is reaped
            unit = 1 if sys.platform == "darwin" else 1024
            return End(child.returncode, usage.ru_maxrss * unit / MIB)
        if deadline is not None and time.monotonic() > deadline:
            return None
        time.sleep(_POLL_S)


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process still runs: not a zombie, nor another process with its pid."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_alive(pid: int, started_s: float, exact_to_s: float = 0.1) -> bool:
    """Tell whether a process runs; its pid may belong to another one by now.

    Args:
        pid: Its number.
        started_s: When it was started, as `psutil` reports it.
        exact_to_s: By how much two readings of that may differ, because the clock was set.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started_s) < exact_to_s and is_running(process)
    except psutil.NoSuchProcess:
        return False
