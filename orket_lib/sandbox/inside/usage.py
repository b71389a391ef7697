"""The resource usage of all processes of a sandbox, as seen by PID 1.

It is polled, not enforced by the kernel: a limit per process would not limit a program that starts
others, and not every user may create a cgroup.
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
    """Measures from its creation on."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._reaped_before = _reaped_cpu_s()
        self._living_s: dict[bytes, float] = {}  # CPU seconds of each process at the last check
        self._gone_s = 0.0  # and of processes that have ended between two checks

    def wall_s(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._begin

    def ended_cpu_s(self) -> float:
        """Return the CPU seconds of all processes after all have ended.

        The kernel doesn't count a process whose parent ignores SIGCHLD; for it, the usage at the
        last check counts.
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
        """Return the outcome for the limit that was exceeded; empty if none was."""
        limits = spec["limits"]
        living = [used for pid in _others() if (used := _used(pid))]
        self._see({process: own_s for _, _, _, own_s, process in living})
        if sum(tasks for tasks, *_ in living) > limits["processes"]:
            return "process_limit"
        # Resident sizes count shared memory once per process. The exact sum takes longer to read,
        # so it is read only if it matters. Full buffers of sockets belong to no process.
        room = limits["memory_bytes"] - _sockets() * spec["socket_bytes"]
        if sum(memory for _, memory, *_ in living) > room < _own_shares():
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
    """Return the usage of a process; None if it has ended.

    Returns:
        Threads, resident bytes, CPU seconds with and without those of its reaped children, and a
        unique id of the process (a pid may be reused).
    """
    line = _read(f"/proc/{pid}/stat")
    if not line:
        return None
    fields = line[line.rindex(b")") + 2 :].split()  # a name may contain any character
    user, system, *childrens = map(int, fields[11:15])
    own_s, cpu_s = (user + system) / _TICK_HZ, (user + system + sum(childrens)) / _TICK_HZ
    tasks = max(1, int(fields[17]))  # a zombie counts as well
    return tasks, int(fields[21]) * _PAGE, cpu_s, own_s, pid.encode() + b" " + fields[19]


def _own_shares() -> int:
    """Return the resident bytes of all processes, with shared memory counted once (PSS)."""
    total = 0
    for pid in _others():
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1]) * 1024
                break
        else:  # it ended, or hides its memory: its resident size counts
            used = _used(pid)
            total += used[1] if used else 0
    return total


def _sockets() -> int:
    """Return the number of sockets: of all in a network of its own, only local ones get data."""
    try:
        with open("/proc/self/net/unix", "rb") as stream:
            return sum(1 for _ in stream) - 1
    except OSError:
        return 0


def _read(path: str) -> bytes:
    """Return the beginning of a file in /proc; empty if the process has ended or hides it."""
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read(4096) or b""
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _reaped_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
