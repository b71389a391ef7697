"""Waiting for the end of a child process, with what the kernel counted of it.

Not by `Popen.wait`, which drops the count: how much memory a process had at most is gone with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple

_MIB = 1024**2
_POLL_S = 0.005


class End(NamedTuple):
    """The end of a process.

    Attributes:
        code: Exit status; -N for signal N.
        peak_rss_mib: The most memory that it, or one child that it had waited for, had at once;
            None where the system doesn't say.
    """

    code: int
    peak_rss_mib: float | None


def wait_for_end(child: subprocess.Popen[bytes], within_s: float | None = None) -> End | None:
    """Return how a child ended, None when it runs for so much longer.

    Args:
        child: Of this process.
        within_s: How long to wait; None is for ever.
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
            return End(child.returncode, usage.ru_maxrss * unit / _MIB)
        if deadline is not None and time.monotonic() > deadline:
            return None
        time.sleep(_POLL_S)
