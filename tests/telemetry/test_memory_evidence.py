"""Evidence of a lack of memory: under a limit, only what shares it counts (T33)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cgroup_tree import V2, add_tree

from orket_lib.telemetry.memory_evidence import memory_evidence
from orket_lib.vocabulary.failures import Ending, Holder
from orket_lib.vocabulary.nulls import Null

MIB = 1024**2
KILLED = Ending(-9, 3.0, pid=2**22 + 1, peak_rss_mib=390.0)

linux = pytest.mark.skipif(sys.platform != "linux", reason="control groups")


def limited(root: Path, kills: int, *pids: int) -> Path:
    files = {
        "memory.max": str(400 * MIB),
        "memory.current": str(100 * MIB),
        "memory.events": f"oom_kill {kills}",
        "cgroup.procs": "\n".join(map(str, pids)),
    }
    return add_tree(root, V2, {"/box": files}, "/box")


@linux
def test_a_limit_is_named_and_our_own_part_counts(tmp_path: Path) -> None:
    found = memory_evidence(KILLED, 0, limited(tmp_path, 0, os.getpid()))
    assert (found.limit_mib, found.free_mib) == (400, 300)
    assert "limit of 400 MiB: memory.max of cgroup /box" in found.place
    assert not isinstance(found.ours_mib, Null)
    assert found.ours_mib > 390 + 10, "with this process"
    assert (found.holder, found.others_mib) == (Null("NOBODY_ELSE"), 0), "the rest of the machine"


@linux
def test_a_program_that_shares_the_limit_is_the_holder(tmp_path: Path) -> None:
    # Its own parent ends, so that it is no child of ours.
    code = (
        "from subprocess import DEVNULL, Popen\n"
        "print(Popen(['sleep', '60'], stdout=DEVNULL, stderr=DEVNULL).pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    try:
        found = memory_evidence(KILLED, 0, limited(tmp_path, 0, os.getpid(), pid))
        assert isinstance(found.holder, Holder)
        assert found.holder.name == "sleep"
    finally:
        os.kill(pid, 9)


@linux
@pytest.mark.parametrize(
    ("before", "now", "ending", "killed"),
    [
        (0, 1, KILLED, True),
        (3, 4, KILLED, True),
        (0, 1, Ending(-11, 3.0, pid=2**22 + 1), False),
    ],
)
def test_the_group_counts_kills_where_the_log_can_t_be_read(
    tmp_path: Path, before: int, now: int, ending: Ending, killed: bool
) -> None:
    assert memory_evidence(ending, before, limited(tmp_path, now)).killed_by_kernel is killed


@linux
@pytest.mark.parametrize(("before", "now"), [(3, 3), (None, 3)])
def test_an_earlier_kill_is_not_this_one(tmp_path: Path, before: int | None, now: int) -> None:
    assert memory_evidence(KILLED, before, limited(tmp_path, now)).killed_by_kernel is not True


def test_without_a_limit_it_is_the_machine_s_memory(tmp_path: Path) -> None:
    found = memory_evidence(KILLED, None, tmp_path)
    assert (found.place, found.ours_mib) == ("main memory", 390.0)
