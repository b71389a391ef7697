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

from orket_lib.sandbox.inside import folder

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
        self._living_s: dict[bytes, float] = {}  # CPU seconds of each process at the last look
        self._gone_s = 0.0  # and of those that were there at a look and at a later one no more

    def wall_s(self) -> float:
        """Return the seconds that have passed."""
        return time.monotonic() - self._begin

    def ended_cpu_s(self) -> float:
        """Return the CPU seconds of all processes, when all have ended.

        A process that nobody waits for, because its parent ignores the signal of its end, is
        counted nowhere by the kernel; what was seen of it counts then.
        """
        return max(self._reaped_cpu_s(), self._seen_cpu_s())

    def _reaped_cpu_s(self) -> float:
        return _reaped_cpu_s() - self._reaped_before

    def _seen_cpu_s(self) -> float:
        return self._gone_s + sum(self._living_s.values())

    def _see(self, living_s: dict[bytes, float]) -> None:
        gone = self._living_s.keys() - living_s.keys()
        self._gone_s += sum(self._living_s[process] for process in gone)
        self._living_s = living_s

    def exceeded(self, spec: dict[str, Any]) -> str:
        """Return the outcome that a limit demands; empty when none is reached."""
        limits = spec["limits"]
        living = [used for pid in _others() if (used := _used(pid))]
        self._see({process: own_s for _, _, _, own_s, process in living})
        if sum(tasks for tasks, *_ in living) > limits["processes"]:
            return "process_limit"
        # What processes share counts for each of them here; what it really comes to takes longer to
        # find out, so that is only asked when it matters.
        if sum(memory for _, memory, *_ in living) > limits["memory_bytes"] < _own_shares():
            return "memory_limit"
        counted_s = sum(cpu_s for _, _, cpu_s, _, _ in living) + self._reaped_cpu_s()
        if max(counted_s, self._seen_cpu_s()) > limits["cpu_s"]:
            return "cpu_limit"
        if self.wall_s() > limits["wall_s"]:
            return "timeout"
        return "disk_limit" if folder.is_full(spec["folder"], limits["disk_files"]) else ""


def _others() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def _used(pid: str) -> tuple[int, int, float, float, bytes] | None:
    """Return what a process uses; None when it has ended.

    Returns:
        Threads, resident bytes, CPU seconds with and without those of its children that it has
        waited for, and what tells this process from all others before and after it.
    """
    line = _read(f"/proc/{pid}/stat")
    if not line:
        return None
    fields = line[line.rindex(b")") + 2 :].split()  # a name may hold anything
    user, system, *childrens = map(int, fields[11:15])
    own_s, cpu_s = (user + system) / _TICK_HZ, (user + system + sum(childrens)) / _TICK_HZ
    tasks = max(1, int(fields[17]))  # one that is dead and not waited for counts, too
    return tasks, int(fields[21]) * _PAGE, cpu_s, own_s, pid.encode() + b" " + fields[19]


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
