"""What can be seen of the machine's memory after a server of ours has failed."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil

from orket_lib.vocabulary.failures import Ending, Holder, MemoryEvidence
from orket_lib.vocabulary.nulls import Null

_MIB = 1024**2
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_DMESG_S = 5.0


def memory_evidence(ending: Ending | None) -> MemoryEvidence:
    """Return how much memory there is, who has it, and whether the kernel killed for want of it.

    Args:
        ending: Of the server, where it is one of ours that ended.
    """
    total = psutil.virtual_memory()
    limit = _limit_of_group()
    place = "main memory" if limit is None else "the memory that this container or job may use"
    others = _others()
    peak = ending.peak_rss_mib if ending else None
    return MemoryEvidence(
        place=place,
        limit_mib=(total.total if limit is None else min(limit, total.total)) / _MIB,
        free_mib=total.available / _MIB,
        ours_mib=Null("NOT_COUNTED") if peak is None else peak,
        others_mib=sum(others.values()),
        holder=(
            Holder(name, others[name])
            if (name := max(others, key=lambda it: others[it], default=""))
            else Null("NOBODY_ELSE")
        ),
        needed_mib=Null("NOT_ESTIMATED"),
        killed_by_kernel=_killed_by_kernel(ending),
    )


def _limit_of_group() -> int | None:
    """Return the limit of this process's control group, in bytes; None where there is none."""
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            return int(path.read_text(encoding="ascii"))
    return None


def _others() -> dict[str, float]:
    """Return what each other program holds, in MiB: all of its processes, but none of our tree."""
    own = psutil.Process()
    ours = {own.pid, *(it.pid for it in (*own.parents(), *own.children(recursive=True)))}
    held: dict[str, float] = defaultdict(float)
    for process in psutil.process_iter(["pid", "name", "memory_info"]):
        memory = process.info["memory_info"]
        if process.info["pid"] not in ours and memory is not None:
            held[process.info["name"] or "?"] += memory.rss / _MIB
    return dict(held)


def _killed_by_kernel(ending: Ending | None) -> bool | Null:
    """Return whether the kernel's log says that it killed a process for want of memory."""
    if ending is None or ending.pid is None:
        return Null("NO_PROCESS")
    try:
        done = subprocess.run(
            ["dmesg"], capture_output=True, text=True, timeout=_DMESG_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Null("NOT_READABLE")
    if done.returncode:
        return Null("NOT_READABLE")
    return re.search(rf"Killed process {ending.pid}\b", done.stdout) is not None
