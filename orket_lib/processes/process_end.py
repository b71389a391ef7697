"""Whether a process still runs, how a child ended, and what ends with it.

`Popen.wait` is not used where the count matters: it discards the peak memory of the child.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orket_lib.vocabulary.units import MIB

if TYPE_CHECKING:
    import psutil

_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.005
_KILLED_S = 0.1  # until a killed process is gone
_START_S = 0.1  # by which two readings of one start may differ


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


def is_alive(pid: int, started_s: float) -> bool:
    """Tell whether a process runs; its pid may belong to another one by now.

    Args:
        pid: Its number.
        started_s: What `started_at` said of it.
    """
    import psutil

    try:
        return abs(started_at(pid) - started_s) < _START_S and is_running(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def started_at(pid: int) -> float:
    """Return when a process was started, in seconds.

    On Linux since the boot: a clock that is set does not change it, as it changes what `psutil`
    reports. Elsewhere since 1970.

    Raises:
        psutil.NoSuchProcess: There is no such process.
    """
    import psutil

    if sys.platform != "linux":
        return psutil.Process(pid).create_time()
    try:
        content = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        raise psutil.NoSuchProcess(pid) from None
    # The name before it, in parentheses, may have blanks and parentheses.
    fields = content.rpartition(b")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def own_group() -> dict[str, Any]:
    """Return options of `Popen` that keep Ctrl-C on the terminal from a child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_descendants(within_s: float) -> None:
    """Kill every descendant, also one that left its group, until none is left or time is up."""
    import psutil

    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        living = [it for it in psutil.Process().children(recursive=True) if is_running(it)]
        if not living:
            return
        for process in living:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(living, timeout=_KILLED_S)
