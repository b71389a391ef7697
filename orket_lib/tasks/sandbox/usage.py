"""What all processes of a sandbox use together, as PID 1 can see it.

Looked at often rather than enforced by the kernel: a limit per process would be no limit for a
program that starts others, and a cgroup is not everybody's to make.
"""

# ruff: noqa: PTH123, PTH208
# pathlib takes 10 ms to import, a third of what a sandbox may cost.

from __future__ import annotations

import os
import resource
import sys
import time

from orket_lib.tasks.sandbox import folder

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK_HZ = os.sysconf("SC_CLK_TCK")


class Usage:
    """Measures from now on."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._reaped_before = _reaped_cpu_s()

    def wall_s(self) -> float:
        """Return the seconds that have passed."""
        return time.monotonic() - self._begin

    def reaped_cpu_s(self) -> float:
        """Return the CPU seconds of processes that have ended."""
        return _reaped_cpu_s() - self._reaped_before

    def exceeded(self, spec: dict[str, Any]) -> str:
        """Return the outcome that a limit demands; empty when none is reached."""
        limits = spec["limits"]
        living = [used for pid in _others() if (used := _used(pid))]
        if sum(tasks for tasks, _, _ in living) > limits["processes"]:
            return "process_limit"
        # What processes share counts for each of them here; what it really comes to takes longer to
        # find out, so that is only asked when it matters.
        if sum(memory for _, memory, _ in living) > limits["memory_bytes"] < _own_shares():
            return "memory_limit"
        if sum(cpu_s for _, _, cpu_s in living) + self.reaped_cpu_s() > limits["cpu_s"]:
            return "cpu_limit"
        if self.wall_s() > limits["wall_s"]:
            return "timeout"
        return "disk_limit" if folder.is_full(spec["folder"], limits["disk_files"]) else ""


def _others() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def _used(pid: str) -> tuple[int, int, float] | None:
    """Return threads, resident bytes and CPU seconds of a process; None when it has ended."""
    line = _read(f"/proc/{pid}/stat")
    if not line:
        return None
    fields = line[line.rindex(b")") + 2 :].split()  # a name may hold anything
    cpu_s = sum(map(int, fields[11:15])) / _TICK_HZ  # user and system time, and its children's
    tasks = max(1, int(fields[17]))  # one that is dead and not waited for counts, too
    return tasks, int(fields[21]) * _PAGE, cpu_s


def _own_shares() -> int:
    """Return the bytes of all processes, with what several share split among them."""
    total = 0
    for pid in _others():
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1]) * 1024
                break
        else:  # it ended, or it hides its memory: then it counts in full
            used = _used(pid)
            total += used[1] if used else 0
    return total


def _read(path: str) -> bytes:
    """Return the beginning of a file about a process; empty when that has ended or hides it."""
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read(4096) or b""
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _reaped_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
