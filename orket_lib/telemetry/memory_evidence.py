"""The state of the machine's memory after a server that we started has failed."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil

from orket_lib.vocabulary.failures import Ending, Holder, MemoryEvidence
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_DMESG_S = 5.0


def memory_evidence(ending: Ending | None) -> MemoryEvidence:
    """Return how much memory there is, which programs hold it, and whether the OOM killer struck.

    Args:
        ending: How the server ended; None if it was not started by us or still runs.
    """
    total = psutil.virtual_memory()
    limit = _limit_of_group()
    place = "main memory" if limit is None else "the memory that this container or job may use"
    others = _others()
    peak = ending.peak_rss_mib if ending else None
    return MemoryEvidence(
        place=place,
        limit_mib=(total.total if limit is None else min(limit, total.total)) / MIB,
        free_mib=total.available / MIB,
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
    """Return the memory limit of this process's cgroup in bytes; None without a limit."""
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            return int(path.read_text(encoding="ascii"))
    return None


def _others() -> dict[str, float]:
    """Return the memory of each other program in MiB: all its processes, outside our tree."""
    own = psutil.Process()
    ours = {own.pid, *(it.pid for it in (*own.parents(), *own.children(recursive=True)))}
    held: dict[str, float] = defaultdict(float)
    for process in psutil.process_iter(["pid", "name", "memory_info"]):
        memory = process.info["memory_info"]
        if process.info["pid"] not in ours and memory is not None:
            held[process.info["name"] or "?"] += memory.rss / MIB
    return dict(held)


def _killed_by_kernel(ending: Ending | None) -> bool | Null:
    """Return whether the kernel log says that the OOM killer killed the server."""
    if ending is None or ending.pid is None:
        return Null("NO_PROCESS")
    try:
        done = subprocess.run(
            ["dmesg"], capture_output=True, text=True, timeout=_DMESG_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Null("NOT_READABLE")
    return re.search(rf"Killed process {ending.pid}\b", done.stdout) is not None
