"""Readings of the host: memory of the serving process, and the load."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from orket_lib.vocabulary.nulls import Null, known
from orket_lib.vocabulary.units import MIB


def peak_rss_mib(pid: int | None) -> float | Null:
    """Return the peak resident memory of a process and its descendants so far, in MiB.

    The kernel keeps the high-water mark of each (`VmHWM` on Linux, the peak working set on
    Windows), so no sampling can miss it. The processes may have peaked at different times: the sum
    is an upper bound, close to the true peak where one process holds the model.
    """
    if pid is None:
        return Null("REMOTE_SERVER")
    own = _peak_rss_mib(pid)
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return own
    if isinstance(own, Null):
        return own
    return own + sum(known(_peak_rss_mib(child.pid) for child in children))


def _peak_rss_mib(pid: int) -> float | Null:
    try:
        if sys.platform == "win32":
            return float(psutil.Process(pid).memory_info().peak_wset) / MIB
        if sys.platform != "linux":
            return Null("NO_PEAK_COUNTER")
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (OSError, psutil.Error):
        return Null("PROCESS_GONE")
    return Null("NO_PEAK_COUNTER")


def load_average() -> float | Null:
    """Return the 1-minute load average of the host."""
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):  # not on Windows
        return Null("NO_LOAD_AVERAGE")
