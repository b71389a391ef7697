"""How many CPUs this process may use: affinity, cpuset and the quotas of its control groups."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.telemetry.allowance.cgroups import ROOT, Group, groups

_ONE_WINDOWS_GROUP = 64  # CPUs; with more of them, an affinity covers one group of CPUs only
_LEAST = 0.01  # CPUs; a smaller difference is no limit


@dataclass(frozen=True)
class Quota:
    """A limit of CPU time.

    Attributes:
        cpus: CPU seconds in each second.
        group: Name of the control group that sets it.
    """

    cpus: float
    group: str


@dataclass(frozen=True)
class CpuAllowance:
    """The CPUs that this process may use.

    Attributes:
        online: Logical CPUs of the machine.
        machine_cores: Physical cores of the machine.
        allowed: Logical CPUs that the process may run on, by number; None = all.
        cores: Physical cores among them.
        quota: The tightest limit of CPU time; None without one.
    """

    online: int
    machine_cores: int
    allowed: frozenset[int] | None
    cores: int
    quota: Quota | None

    @property
    def cpus(self) -> int:
        """Logical CPUs that the process may run on."""
        return self.online if self.allowed is None else len(self.allowed)

    @property
    def usable(self) -> float:
        """CPUs that it may keep busy, such as 0.5 under a quota of half a CPU."""
        return min(self.cpus, self.quota.cpus) if self.quota else self.cpus

    @property
    def usable_cores(self) -> float:
        """Physical cores that it may keep busy."""
        return min(self.cores, self.quota.cpus) if self.quota else self.cores

    @property
    def limited(self) -> bool:
        """Whether it may use less than all cores of the machine."""
        return self.usable_cores < self.machine_cores - _LEAST

    @property
    def threads(self) -> int:
        """Threads that the allowance keeps busy: one for each core, at least one.

        More threads than the quota has CPUs are stopped in the middle of each period, and those
        that wait for them spin until then.
        """
        return max(1, int(self.usable_cores + _LEAST))

    @property
    def workers(self) -> int:
        """Threads for work that gains from all logical CPUs, at least one."""
        return max(1, int(self.usable + _LEAST))

    @property
    def limits(self) -> tuple[str, ...]:
        """What limits the process, in words; empty if it may use all CPUs."""
        found = []
        if self.allowed is not None:
            found.append(f"affinity or cpuset: CPU {ranges(self.allowed)}")
        if self.quota:
            found.append(f"quota of {self.quota.cpus:g} CPUs of cgroup {self.quota.group}")
        return tuple(found)


def cpu_allowance(root: Path = ROOT, among: Collection[int] | None = None) -> CpuAllowance:
    """Return the CPUs that this process may use now.

    Args:
        root: Root of the file system.
        among: Logical CPUs that a child process is restricted to; None = all that we may use.
    """
    online = psutil.cpu_count() or 1
    machine_cores = psutil.cpu_count(logical=False) or online
    allowed = _affinity(online)
    for cpus in _cpusets(root):
        allowed = cpus if allowed is None else allowed & cpus or allowed
    if among:
        allowed = frozenset(among) if allowed is None else allowed & frozenset(among) or allowed
    if allowed is not None and len(allowed) >= online:
        allowed = None
    quota = min(_quotas(root), key=lambda found: found.cpus, default=None)
    if quota is not None and quota.cpus >= online:
        quota = None
    cores = machine_cores if allowed is None else _cores(allowed, machine_cores, root)
    return CpuAllowance(online, machine_cores, allowed, cores, quota)


def cpu_time_limit_s() -> float | None:
    """Return after how many CPU seconds the system ends a process (`ulimit -t`); None if never."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return None if limit == resource.RLIM_INFINITY else float(limit)


def _affinity(online: int) -> frozenset[int] | None:
    if sys.platform == "win32" and online > _ONE_WINDOWS_GROUP:
        return None
    try:
        return frozenset(psutil.Process().cpu_affinity() or ()) or None
    except (AttributeError, psutil.Error):  # macOS has no affinity
        return None


def _cpusets(root: Path) -> Iterator[frozenset[int]]:
    """Yield the CPUs of each cpuset; the kernel's affinity holds them already on most systems."""
    for group in groups("cpuset", root):
        name = "cpuset.cpus.effective" if group.version == 2 else "cpuset.effective_cpus"
        words = group.words(name) or group.words("cpuset.cpus")
        if words and (cpus := parse_cpus(words[0])):
            yield cpus


def _quotas(root: Path) -> Iterator[Quota]:
    for group in groups("cpu", root):
        cpus = _quota(group)
        if cpus is not None:
            yield Quota(cpus, group.name)


def _quota(group: Group) -> float | None:
    """Return the CPUs that a group's quota is worth; None without a quota."""
    if group.version == 2:
        words = [word for word in group.words("cpu.max") if word.isdigit()]
        quota, period = map(int, words) if len(words) == 2 else (None, None)
    else:
        quota, period = group.number("cpu.cfs_quota_us"), group.number("cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None  # v1 writes -1 for none


def _cores(allowed: Collection[int], most: int, root: Path) -> int:
    """Return how many physical cores some logical CPUs are."""
    seen = set()
    for cpu in allowed:
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        siblings = _text(folder / "core_cpus_list") or _text(folder / "thread_siblings_list")
        if not siblings:
            return min(most, len(allowed))
        seen.add(siblings)
    return min(most, len(seen))


def parse_cpus(text: str) -> frozenset[int]:
    """Return the CPUs of a kernel's list such as `0-3,8`; empty if it is none."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            return frozenset()
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def ranges(cpus: Collection[int]) -> str:
    """Return numbers of CPUs as `0-3,8`."""
    parts: list[list[int]] = []
    for cpu in sorted(cpus):
        if parts and cpu == parts[-1][-1] + 1:
            parts[-1][1:] = [cpu]
        else:
            parts.append([cpu])
    return ",".join("-".join(map(str, part)) for part in parts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
