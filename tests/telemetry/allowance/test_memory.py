"""T33: free memory is the least that the machine and every limit leave."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from cgroup_tree import V1, V2, add_tree

from orket_lib.telemetry.allowance.memory import memory_allowance, oom_kills

MIB = 1024**2
GIB = 1024 * MIB
ENDLESS = "9223372036854771712"  # how v1 writes "no limit"
Build = Callable[[Path], object]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have 16 GiB, 12 of them available, and no `ulimit`."""
    memory = SimpleNamespace(total=16 * GIB, available=12 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: infinite)


def v1(limit: int | str, used: int = 0, **stat: int) -> dict[str, str]:
    listed = "\n".join(f"{name} {value}" for name, value in stat.items())
    return {
        "memory.limit_in_bytes": str(limit),
        "memory.usage_in_bytes": str(used),
        "memory.stat": listed,
    }


def v2(limit: int | str, used: int = 0, **stat: int) -> dict[str, str]:
    listed = "\n".join(f"{name} {value}" for name, value in stat.items())
    return {"memory.max": str(limit), "memory.current": str(used), "memory.stat": listed}


def old(root: Path, groups: dict[str, dict[str, str]], path: str, **more: str) -> None:
    add_tree(root, V1, groups, path, controllers="memory", **more)


LIMITED: dict[str, tuple[Build, int, int]] = {
    "v1": (
        lambda root: old(root, {"": v1(ENDLESS), "/a": v1(400 * MIB, 100 * MIB)}, "/a"),
        400,
        300,
    ),
    "v2": (lambda root: add_tree(root, V2, {"/a": v2(400 * MIB, 100 * MIB)}, "/a"), 400, 300),
    "cached files are free": (
        lambda root: add_tree(
            root,
            V2,
            {"/a": v2(400 * MIB, 390 * MIB, inactive_file=200 * MIB, active_file=90 * MIB)},
            "/a",
        ),
        400,
        300,
    ),
    "cached files of v1": (
        lambda root: old(
            root, {"/a": v1(400 * MIB, 390 * MIB, total_inactive_file=290 * MIB)}, "/a"
        ),
        400,
        300,
    ),
    "memory.high": (
        lambda root: add_tree(
            root,
            V2,
            {"/a": {**v2("max", 100 * MIB), "memory.high": str(400 * MIB)}},
            "/a",
        ),
        400,
        300,
    ),
    "an ancestor's": (
        lambda root: add_tree(
            root, V2, {"/p": v2(400 * MIB, 100 * MIB), "/p/c": v2("max", 50 * MIB)}, "/p/c"
        ),
        400,
        300,
    ),
    "our own is lower, and the pod's is nearly used up by others": (
        lambda root: add_tree(
            root, V2, {"/p": v2(4 * GIB, 4 * GIB - 50 * MIB), "/p/c": v2(1 * GIB, 0)}, "/p/c"
        ),
        1024,
        50,
    ),
    "a container's own mount": (
        lambda root: old(
            root, {"": v1(400 * MIB, 100 * MIB)}, "/docker/abc", mount_root="/docker/abc"
        ),
        400,
        300,
    ),
    "of a group above the container, which only v1 tells": (
        lambda root: old(
            root,
            {"": v1(ENDLESS, 100 * MIB, hierarchical_memory_limit=400 * MIB)},
            "/docker/abc",
            mount_root="/docker/abc",
        ),
        400,
        300,
    ),
    "Slurm's step in a job": (
        lambda root: old(
            root,
            {
                "/slurm/uid_0/job_1": v1(400 * MIB, 100 * MIB),
                "/slurm/uid_0/job_1/step_0": v1(ENDLESS, 100 * MIB),
            },
            "/slurm/uid_0/job_1/step_0",
        ),
        400,
        300,
    ),
    "more used than allowed": (
        lambda root: add_tree(root, V2, {"/a": v2(400 * MIB, 500 * MIB)}, "/a"),
        400,
        0,
    ),
}


@pytest.mark.parametrize(("build", "total", "free"), LIMITED.values(), ids=list(LIMITED))
def test_a_limit_counts_wherever_it_is(tmp_path: Path, build: Build, total: int, free: int) -> None:
    build(tmp_path)
    found = memory_allowance(tmp_path)
    assert (found.total_mib, found.free_mib) == (total, free)
    assert found.limited_by is not None
    assert "limit of " in found.limited_by


NOT_LIMITED: dict[str, Build] = {
    "no control groups": lambda root: root,
    "v1 without a limit": lambda root: old(root, {"/a": v1(ENDLESS, 9 * GIB)}, "/a"),
    "v2 without a limit": lambda root: add_tree(root, V2, {"/a": v2("max", 9 * GIB)}, "/a"),
    "more than the machine has": lambda root: add_tree(root, V2, {"/a": v2(64 * GIB)}, "/a"),
    "of a group beside ours": lambda root: add_tree(
        root, V2, {"/a": v2("max"), "/b": v2(400 * MIB)}, "/a"
    ),
    "a damaged file": lambda root: add_tree(root, V2, {"/a": v2("400 MiB")}, "/a"),
}


@pytest.mark.parametrize("build", NOT_LIMITED.values(), ids=list(NOT_LIMITED))
def test_what_is_no_limit_changes_nothing(tmp_path: Path, build: Build) -> None:
    build(tmp_path)
    found = memory_allowance(tmp_path)
    assert (found.total_mib, found.free_mib, found.limited_by) == (16384, 12288, None)


def test_a_limit_that_leaves_more_than_the_machine_is_named_and_not_binding(tmp_path: Path) -> None:
    add_tree(tmp_path, V2, {"/a": v2(15 * GIB)}, "/a")
    found = memory_allowance(tmp_path)
    assert (found.total_mib, found.free_mib) == (15 * 1024, 12288)
    assert found.binding is None
    assert found.limited_by == "limit of 15360 MiB: memory.max of cgroup /a"


def test_ulimit_is_a_limit_of_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        resource,
        "getrlimit",
        lambda kind: (4 * GIB if kind == resource.RLIMIT_AS else resource.RLIM_INFINITY, 0),
    )
    found = memory_allowance(Path("/nowhere"))
    assert (found.total_mib, found.free_mib) == (4096, 4096)
    assert found.limited_by == "limit of 4096 MiB: ulimit -v"


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        (
            {"/p": {"memory.events": "oom 9\noom_kill 3"}, "/p/c": {"memory.events": "oom_kill 1"}},
            3,
        ),
        ({"/p/c": {"memory.events": "oom_kill 0"}}, 0),
        ({"/p/c": {}}, None),
    ],
)
def test_kills_are_counted_over_all_groups(
    tmp_path: Path, files: dict[str, dict[str, str]], kills: int | None
) -> None:
    add_tree(tmp_path, V2, files, "/p/c")
    assert oom_kills(tmp_path) == kills


def test_kills_of_v1_are_in_its_oom_control(tmp_path: Path) -> None:
    old(tmp_path, {"/a": {"memory.oom_control": "oom_kill_disable 0\noom_kill 2"}}, "/a")
    assert oom_kills(tmp_path) == 2
