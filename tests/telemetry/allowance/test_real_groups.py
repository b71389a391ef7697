"""T33 for real: a process that root puts into a group with half a CPU and 400 MiB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_MOUNTED = Path("/sys/fs/cgroup")
_MIB = 1024**2
_LOOK = """
import json, os, sys, time
from pathlib import Path
folders = [Path(name) for name in sys.argv[1:]]
for folder in folders:
    (folder / "cgroup.procs").write_text(str(os.getpid()))
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.allowance.memory import memory_allowance
from orket_lib.telemetry.allowance.throttling import ThrottleCounter
cpus, memory, counter = cpu_allowance(), memory_allowance(), ThrottleCounter()
# So little that the quota stops us, however busy the machine is.
name, text = ("cpu.max", "1000 100000") if len(folders) == 1 else ("cpu.cfs_quota_us", "1000")
(folders[0] / name).write_text(text)
end = time.process_time() + 0.01
while time.process_time() < end:
    pass
stopped = counter.look()
print(json.dumps({
    "usable": cpus.usable, "threads": cpus.threads, "limits": cpus.limits,
    "total": memory.total_mib, "free": memory.free_mib, "by": memory.limited_by,
    "stopped": stopped and stopped.throttled_periods, "seconds": stopped and stopped.throttled_s,
}))
"""


Limits = dict[str, dict[str, str]]
Groups = Callable[[Limits], list[str]]


@pytest.fixture
def groups() -> Iterator[Groups]:
    """Make a group, with one nested in it, below each of some controllers' mounts.

    The limits are set on the outer ones; returned are the nested ones.
    """
    made: list[Path] = []

    def make(limits: Limits) -> list[str]:
        for mount, files in limits.items():
            if not (_MOUNTED / mount / "cgroup.procs").is_file():
                pytest.skip(f"{_MOUNTED / mount} is no tree of control groups")
            outer = _MOUNTED / mount / f"orket-test-{os.getpid()}"
            try:
                outer.mkdir()
                made.append(outer)
                for name, text in files.items():
                    (outer / name).write_text(text, encoding="ascii")
                if "cpu.max" in files:
                    (outer / "cgroup.subtree_control").write_text("+cpu +memory", encoding="ascii")
                (outer / "inner").mkdir()
                made.append(outer / "inner")
            except OSError as error:
                pytest.skip(f"no control group with limits can be made here: {error}")
        return [str(path) for path in made if path.name == "inner"]

    yield make
    for path in reversed(made):
        path.rmdir()


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(
            {
                "cpu": {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"},
                "memory": {"memory.limit_in_bytes": str(400 * _MIB)},
            },
            id="v1",
        ),
        pytest.param({".": {"cpu.max": "50000 100000", "memory.max": str(400 * _MIB)}}, id="v2"),
    ],
)
def test_t33_a_process_in_a_limited_group_knows_it(groups: Groups, limits: Limits) -> None:
    inner = groups(limits)
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, *inner], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert (found["usable"], found["threads"], found["total"]) == (0.5, 1, 400)
    assert 0 < found["free"] < 400
    assert f"orket-test-{os.getpid()}" in found["by"]
    assert f"orket-test-{os.getpid()}" in found["limits"][0]
    assert found["stopped"] >= 3, "10 ms of work take 10 periods at a hundredth of a CPU"
    assert found["seconds"] > 0.1
