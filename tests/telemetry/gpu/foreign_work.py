"""Work on this machine that is not ours: detached processes, and how much of it there is anyway."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

BURNER = "orket-burner"  # what such a process calls itself, where it can

# Ends by itself, whatever becomes of the test.
_BURN = f"""
import hashlib, sys, threading, time
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(15, b"{BURNER}")
end = time.monotonic() + float(sys.argv[1])
def burn():
    while time.monotonic() < end:
        hashlib.pbkdf2_hmac("sha256", b"hot", b"air", 20_000)  # doesn't hold the interpreter's lock
for _ in range(int(sys.argv[2])):
    threading.Thread(target=burn).start()
"""
# The burner's parent is gone when this returns, so nothing leads from us to the burner.
_DETACH = """
import subprocess, sys
silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
print(subprocess.Popen(sys.argv[1:], start_new_session=True, **silent).pid)
"""


def burn_command(seconds: float, cores: int) -> list[str]:
    """Return the command of a process that keeps so many cores busy for so long."""
    return [sys.executable, "-c", _BURN, str(seconds), str(cores)]


@contextmanager
def burner(cores: int, at_most_s: float = 30.0) -> Iterator[int]:
    """Keep so many cores busy with a process outside our tree; yields its pid."""
    done = subprocess.run(
        [sys.executable, "-c", _DETACH, *burn_command(at_most_s, cores)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    pid = int(done.stdout)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), "the burner is gone")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie doesn't."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait for a condition, and fail when it doesn't come true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s:g} s: {what}"
        time.sleep(0.01)


def foreign_share(seconds: float = 1.0) -> float:
    """Return the share of all cores that others use, measured without any of our own code."""
    me = psutil.Process()

    def counters() -> tuple[float, float]:
        machine, own = psutil.cpu_times(), me.cpu_times()
        return machine.user + machine.nice + machine.system, own.user + own.system

    busy, own = counters()
    time.sleep(seconds)
    busy_later, own_later = counters()
    cores = psutil.cpu_count() or 1
    return max(0.0, (busy_later - busy) - (own_later - own)) / (cores * seconds)
