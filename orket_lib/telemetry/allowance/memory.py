"""How much main memory this process may use: the machine's, its control groups' and `ulimit`'s."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.telemetry.allowance.cgroups import ROOT, Group, groups
from orket_lib.vocabulary.units import MIB

_LIMITS = {1: ("memory.limit_in_bytes",), 2: ("memory.max", "memory.high")}
_USED = {1: "memory.usage_in_bytes", 2: "memory.current"}
_MORE = 1.05  # times a limit: less changes nothing for a model
# Memory that the kernel takes back when it is needed: cached files. The model's own are among them.
_CACHE = {1: ("total_inactive_file", "total_active_file"), 2: ("inactive_file", "active_file")}


@dataclass(frozen=True)
class MemoryLimit:
    """A limit below the machine's memory.

    Attributes:
        bytes: The limit.
        free: Bytes that are left of it.
        source: What sets it, in words.
        group: The control group that sets it; None for another kind of limit.
    """

    bytes: int
    free: int
    source: str
    group: Group | None = None

    def __str__(self) -> str:
        return f"limit of {self.bytes / MIB:.0f} MiB: {self.source}"


@dataclass(frozen=True)
class MemoryAllowance:
    """The main memory that this process may use.

    Attributes:
        machine: Memory of the machine, bytes.
        available: Of that, what is available, bytes.
        limits: All limits that are below the machine's memory.
    """

    machine: int
    available: int
    limits: tuple[MemoryLimit, ...]

    @property
    def binding(self) -> MemoryLimit | None:
        """The limit that leaves least memory; None if the machine itself has less available."""
        least = min(self.limits, key=lambda limit: limit.free, default=None)
        return least if least and least.free < self.available else None

    @property
    def total_mib(self) -> float:
        """Memory that it may use at most, in MiB."""
        return min([self.machine, *(limit.bytes for limit in self.limits)]) / MIB

    @property
    def free_mib(self) -> float:
        """Memory that it may use now in addition, in MiB."""
        return min([self.available, *(limit.free for limit in self.limits)]) / MIB

    @property
    def limited_by(self) -> str | None:
        """The limit that leaves least memory, else the lowest, in words; None without a limit."""
        lowest = min(self.limits, key=lambda limit: limit.bytes, default=None)
        return str(self.binding or lowest) if lowest else None


def memory_allowance(root: Path = ROOT) -> MemoryAllowance:
    """Return the main memory that this process may use now.

    Args:
        root: Root of the file system.
    """
    memory = psutil.virtual_memory()
    found = (*_of_groups(root), *_of_ulimit())
    below = tuple(limit for limit in found if limit.bytes < memory.total)
    return MemoryAllowance(memory.total, memory.available, below)


def memory_limit_mib() -> float | None:
    """Return the memory that limits below the machine's own allow, in MiB; None without one."""
    found = memory_allowance()
    return found.total_mib if found.limits else None


def exceeds_limit(limit_mib: float | None) -> bool:
    """Return whether this process may use clearly more memory than an earlier limit allowed."""
    return limit_mib is not None and memory_allowance().total_mib > limit_mib * _MORE


def oom_kills(root: Path = ROOT) -> int | None:
    """Return how many processes the kernel has killed in our groups for lack of memory.

    None if no group counts them.
    """
    counts = [
        found
        for group in groups("memory", root)
        for file in ("memory.events", "memory.oom_control")
        if (found := group.table(file).get("oom_kill")) is not None
    ]
    return max(counts, default=None)  # that of an ancestor includes those below it


def _of_groups(root: Path) -> Iterator[MemoryLimit]:
    found = groups("memory", root)
    for group in found:
        for file in _LIMITS[group.version]:
            limit = group.number(file)
            if limit is not None:
                yield _limit(group, limit, f"{file} of cgroup {group.name}")
    for group in found[-1:]:  # v1 tells of limits above the uppermost group that is visible
        above = group.table("memory.stat").get("hierarchical_memory_limit")
        if above is not None:
            yield _limit(group, above, f"a group above cgroup {group.name}")


def _limit(group: Group, limit: int, source: str) -> MemoryLimit:
    counters = group.table("memory.stat")
    cached = sum(counters.get(name, 0) for name in _CACHE[group.version])
    used = max(0, (group.number(_USED[group.version]) or 0) - cached)
    return MemoryLimit(limit, max(0, limit - used), source, group)


def _of_ulimit() -> Iterator[MemoryLimit]:
    """Yield the limits of each single process, which a server that we start inherits."""
    if sys.platform == "win32":
        return
    import resource

    kinds = {"ulimit -v": resource.RLIMIT_AS, "ulimit -d": resource.RLIMIT_DATA}
    for words, kind in kinds.items():
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            yield MemoryLimit(limit, limit, words)
