"""How much memory processes of ours may take here: that of the machine, or a limit below it.

A container, a job of a scheduler and a systemd unit have a cgroup, whose limit counts for all that
is in it, and so do those of the cgroups above it. Both versions of cgroups are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

from orket_lib.vocabulary.nulls import Null

PROC = Path("/proc")
_MIB = 1024**2
_NO_RECORD = Null("NO_OOM_COUNTER")


@dataclass(frozen=True)
class _Files:
    """What one version of cgroups calls its files, and the keys in them."""

    limit: str
    usage: str
    events: str
    reclaimable: tuple[str, ...]


_V1 = _Files(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    ("total_active_file", "total_inactive_file"),
)
_V2 = _Files("memory.max", "memory.current", "memory.events", ("active_file", "inactive_file"))


@dataclass(frozen=True)
class Cgroup:
    """The cgroup of this process, as far as memory goes.

    Attributes:
        folder: Where its files are.
        top: The highest folder of its kind that can be seen from here.
        files: What they are called.
    """

    folder: Path
    top: Path
    files: _Files

    def levels(self) -> Iterator[Path]:
        """Yield its folder and those of the cgroups above it."""
        yield self.folder
        for folder in self.folder.parents:
            if not folder.is_relative_to(self.top):
                return
            yield folder


@dataclass(frozen=True)
class MemoryLimit:
    """The memory that counts.

    Attributes:
        name: In words.
        limit_mib: How much it is.
        free_mib: How much of it is free, or could be freed, now.
        folder: Of the cgroup that sets the limit; None where it is all of the machine's memory.
    """

    name: str
    limit_mib: float
    free_mib: float
    folder: Path | None = None

    def members(self) -> frozenset[int] | None:
        """Return the processes that it counts for; None is all of the machine."""
        if self.folder is None:
            return None
        listed = (_text(path) for path in self.folder.rglob("cgroup.procs"))
        return frozenset(int(pid) for text in listed for pid in text.split())


def memory_limit(proc: Path = PROC) -> MemoryLimit:
    """Return the least of all limits: that of the machine, of our cgroup, and of those above it."""
    memory = psutil.virtual_memory()
    least = MemoryLimit("main memory", memory.total / _MIB, memory.available / _MIB)
    found = find_cgroup(proc)
    if found is not None:
        for folder in found.levels():
            least = _lesser(least, folder, found.files)
    return least


def find_cgroup(proc: Path = PROC) -> Cgroup | None:
    """Return the cgroup of this process that counts memory, or None where there is none."""
    paths = dict(_paths(_text(proc / "self" / "cgroup")))
    for line in _text(proc / "self" / "mountinfo").splitlines():
        mount, _, kind = line.partition(" - ")
        root, folder = mount.split()[3:5]
        if kind.startswith("cgroup ") and "memory" in kind.split()[-1].split(","):
            version, path = _V1, paths.get("memory")
        elif kind.startswith("cgroup2 "):
            version, path = _V2, paths.get("")
        else:
            continue
        own = _below(Path(folder), root, path)
        if (own / version.usage).is_file() or (own / version.events).is_file():
            return Cgroup(own, Path(folder), version)
    return None


def oom_kills(proc: Path = PROC) -> int | Null:
    """Return how many processes of our cgroup the kernel has killed for want of memory.

    Where no cgroup counts that, of the whole machine.
    """
    found = find_cgroup(proc)
    texts = [_text(found.folder / found.files.events)] if found else []
    for text in (*texts, _text(proc / "vmstat")):
        counted = _numbers(text).get("oom_kill")
        if counted is not None:
            return counted
    return _NO_RECORD


def _lesser(least: MemoryLimit, folder: Path, files: _Files) -> MemoryLimit:
    """Return the lesser of a limit and that of a cgroup; what is free is what both leave."""
    limit, usage = _text(folder / files.limit).strip(), _text(folder / files.usage).strip()
    if not limit.isdecimal():  # `max`, or no such file
        return least
    limit_mib = int(limit) / _MIB
    stat = _numbers(_text(folder / "memory.stat"))
    taken = int(usage or 0) - sum(stat.get(key, 0) for key in files.reclaimable)
    free_mib = min(least.free_mib, max(0.0, limit_mib - max(0, taken) / _MIB))
    if limit_mib >= least.limit_mib:  # version 1 writes an absurd number for none
        return MemoryLimit(least.name, least.limit_mib, free_mib, least.folder)
    name = f"main memory (limited to {limit_mib:.0f} MiB by {folder})"
    return MemoryLimit(name, limit_mib, free_mib, folder)


def _paths(text: str) -> Iterator[tuple[str, str]]:
    """Yield (controller, path) of `/proc/self/cgroup`; version 2 has no name for its one."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        yield from ((name, path) for name in controllers.split(","))


def _below(folder: Path, root: str, path: str | None) -> Path:
    """Return where a cgroup lies below a mount, which may show only a part of the tree."""
    below = PurePosixPath(path or "/")
    if below.is_relative_to(root):
        own = folder / below.relative_to(root)
        return own if own.is_dir() else folder
    return folder


def _numbers(text: str) -> dict[str, int]:
    """Return the numbers of lines such as `oom_kill 3`."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
