"""The state of the machine's memory after a server that we started has failed."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import psutil

from orket_lib.telemetry.allowance.cgroups import ROOT
from orket_lib.telemetry.allowance.memory import memory_allowance, oom_kills
from orket_lib.vocabulary.failures import Ending, Holder, MemoryEvidence
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB

_MAIN = "main memory"
_DMESG_S = 5.0


def memory_evidence(
    ending: Ending | None, kills_before: int | None = None, root: Path = ROOT
) -> MemoryEvidence:
    """Return how much memory there is, which programs hold it, and whether the OOM killer struck.

    Under a limit of a container or job, only the processes that share it count.

    Args:
        ending: How the server ended; None if it was not started by us or still runs.
        kills_before: Processes that the kernel had killed in our control groups before the server
            was started; None if unknown.
        root: Root of the file system.
    """
    found = memory_allowance(root)
    limit = found.binding
    sharing = None
    if limit is not None:  # `ulimit` is a limit of each process alone
        sharing = limit.group.pids() if limit.group else set()
    ours, others = _held(sharing)
    peak = ending.peak_rss_mib if ending else None
    if peak is not None and limit is not None:
        # Under a small limit, the harness itself holds a part that matters.
        peak += ours
    return MemoryEvidence(
        place=f"the memory that this container or job may use ({limit})" if limit else _MAIN,
        limit_mib=limit.bytes / MIB if limit else found.machine / MIB,
        free_mib=found.free_mib,
        ours_mib=Null("NOT_COUNTED") if peak is None else peak,
        others_mib=sum(others.values()),
        holder=(
            Holder(name, others[name])
            if (name := max(others, key=lambda it: others[it], default=""))
            else Null("NOBODY_ELSE")
        ),
        needed_mib=Null("NOT_ESTIMATED"),
        killed_by_kernel=_killed_by_kernel(ending, kills_before, root),
    )


def _held(sharing: set[int] | None) -> tuple[float, dict[str, float]]:
    """Return the memory of our process tree, and of each other program, in MiB.

    Args:
        sharing: Processes that count; None means all.
    """
    own = psutil.Process()
    ours = {own.pid, *(it.pid for it in (*own.parents(), *own.children(recursive=True)))}
    held: dict[str, float] = defaultdict(float)
    of_us = 0.0
    for process in psutil.process_iter(["pid", "name", "memory_info"]):
        pid, memory = process.info["pid"], process.info["memory_info"]
        if memory is None or (sharing is not None and pid not in sharing):
            continue
        if pid in ours:
            of_us += memory.rss / MIB
        else:
            held[process.info["name"] or "?"] += memory.rss / MIB
    return of_us, dict(held)


def _killed_by_kernel(ending: Ending | None, kills_before: int | None, root: Path) -> bool | Null:
    """Return whether the OOM killer killed the server, by the kernel's log or our group's count."""
    if ending is None or ending.pid is None:
        return Null("NO_PROCESS")
    kills = oom_kills(root)
    if kills_before is not None and kills is not None and kills > kills_before:
        return ending.signal == "SIGKILL"
    try:
        done = subprocess.run(
            ["dmesg"], capture_output=True, text=True, timeout=_DMESG_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Null("NOT_READABLE")
    return re.search(rf"Killed process {ending.pid}\b", done.stdout) is not None
