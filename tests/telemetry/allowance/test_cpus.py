"""T33: the CPUs that may be used are those of the tightest limit, wherever it is set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from cgroup_tree import V1, V2, add_tree

from orket_lib.telemetry.allowance.cpus import CpuAllowance, cpu_allowance, parse_cpus, ranges

HALF = {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}
NONE = {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}
Build = Callable[[Path], object]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have 8 logical CPUs on 4 cores, all of them allowed."""
    has_all = SimpleNamespace(cpu_affinity=lambda: list(range(8)))
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 8 if logical else 4)
    monkeypatch.setattr(psutil, "Process", lambda: has_all)


def topology(root: Path) -> None:
    """Let CPU n and n + 4 share a core."""
    for cpu in range(8):
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "core_cpus_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n", encoding="ascii")


def slurm(root: Path) -> None:
    job = {"/slurm/uid_0/job_7": {"cpuset.cpus": "0-7", "cpuset.effective_cpus": "2-3"}}
    add_tree(root, V1, job, "/slurm/uid_0/job_7", controllers="cpuset")
    topology(root)


def siblings(root: Path) -> None:
    add_tree(root, V2, {"/job": {"cpuset.cpus.effective": "0,4"}}, "/job")
    topology(root)


def hybrid(root: Path) -> None:
    add_tree(root, V1, {"/box": HALF}, "/box")
    add_tree(root, V2, {"/box": {}}, "/box", point="/sys/fs/cgroup/unified")


LIMITED: dict[str, tuple[Build, float, int]] = {
    "v1, as docker --cpus sets it": (
        lambda root: add_tree(root, V1, {"": NONE, "/case04": HALF}, "/case04"),
        0.5,
        1,
    ),
    "v2": (lambda root: add_tree(root, V2, {"/a": {"cpu.max": "50000 100000"}}, "/a"), 0.5, 1),
    "v2, another period": (
        lambda root: add_tree(root, V2, {"/a": {"cpu.max": "30000 20000"}}, "/a"),
        1.5,
        1,
    ),
    "v2, of an ancestor": (
        lambda root: add_tree(
            root,
            V2,
            {"/a": {"cpu.max": "250000 100000"}, "/a/b": {}, "/a/b/c": {"cpu.max": "max 100000"}},
            "/a/b/c",
        ),
        2.5,
        2,
    ),
    "v1, of an ancestor": (
        lambda root: add_tree(root, V1, {"/a": HALF, "/a/b": NONE}, "/a/b"),
        0.5,
        1,
    ),
    "Kubernetes: of the pod and, tighter, of the container": (
        lambda root: add_tree(
            root,
            V2,
            {
                "/kubepods.slice/pod1": {"cpu.max": "300000 100000"},
                "/kubepods.slice/pod1/c": {"cpu.max": "200000 100000"},
            },
            "/kubepods.slice/pod1/c",
        ),
        2.0,
        2,
    ),
    "a container's own mount, v1": (
        lambda root: add_tree(root, V1, {"": HALF}, "/docker/abc", mount_root="/docker/abc"),
        0.5,
        1,
    ),
    "a container with a namespace, v2": (
        lambda root: add_tree(root, V2, {"": {"cpu.max": "50000 100000"}}, "/"),
        0.5,
        1,
    ),
    "a mount that begins above the namespace": (
        lambda root: add_tree(
            root, V2, {"": {"cpu.max": "50000 100000"}}, "/", mount_root="/../.."
        ),
        0.5,
        1,
    ),
    "a container that sees its group by another name": (
        lambda root: add_tree(root, V1, {"": HALF}, "/docker/abc", mount_root="/other"),
        0.5,
        1,
    ),
    "a mount point with a space": (
        lambda root: add_tree(
            root, V2, {"/a": {"cpu.max": "50000 100000"}}, "/a", point="/mnt/c groups"
        ),
        0.5,
        1,
    ),
    "both versions at once": (hybrid, 0.5, 1),
    "Slurm's cpuset": (slurm, 2, 2),
    "two CPUs that are one core": (siblings, 2, 1),
}


@pytest.mark.parametrize(("build", "usable", "threads"), LIMITED.values(), ids=list(LIMITED))
def test_t33_a_limit_counts_wherever_it_is(
    tmp_path: Path, build: Build, usable: float, threads: int
) -> None:
    build(tmp_path)
    found = cpu_allowance(tmp_path)
    assert (found.usable, found.threads, found.limited) == (usable, threads, True)
    assert found.limits


NOT_LIMITED: dict[str, Build] = {
    "no control groups": lambda root: root,
    "v1 without a quota": lambda root: add_tree(root, V1, {"/a": NONE}, "/a"),
    "v2 without a quota": lambda root: add_tree(root, V2, {"/a": {"cpu.max": "max 100000"}}, "/a"),
    "a quota of all CPUs": lambda root: add_tree(
        root, V2, {"/a": {"cpu.max": "800000 100000"}}, "/a"
    ),
    "a quota above the cores, which threads are counted by": lambda root: add_tree(
        root, V2, {"/a": {"cpu.max": "600000 100000"}}, "/a"
    ),
    "a weight": lambda root: add_tree(root, V1, {"/a": {"cpu.shares": "2", **NONE}}, "/a"),
    "a quota of a group beside ours": lambda root: add_tree(
        root, V2, {"/a": {}, "/b": {"cpu.max": "50000 100000"}}, "/a"
    ),
    "a quota below ours": lambda root: add_tree(
        root, V2, {"/a": {}, "/a/b": {"cpu.max": "50000 100000"}}, "/a"
    ),
    "a damaged file": lambda root: add_tree(root, V2, {"/a": {"cpu.max": "half a CPU"}}, "/a"),
    "a group that is gone": lambda root: add_tree(root, V2, {}, "/gone"),
    "a cpuset of all": lambda root: add_tree(
        root, V2, {"/a": {"cpuset.cpus.effective": "0-7"}}, "/a"
    ),
}


@pytest.mark.parametrize("build", NOT_LIMITED.values(), ids=list(NOT_LIMITED))
def test_what_is_no_limit_changes_nothing(tmp_path: Path, build: Build) -> None:
    build(tmp_path)
    found = cpu_allowance(tmp_path)
    assert (found.cpus, found.threads, found.limited) == (8, 4, False)


def test_an_affinity_counts_as_a_cpuset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topology(tmp_path)
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(cpu_affinity=lambda: [0, 1, 4]))
    found = cpu_allowance(tmp_path)
    assert (found.usable, found.threads, found.limits) == (3, 2, ("affinity or cpuset: CPU 0-1,4",))


def test_a_system_without_affinity_allows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "Process", SimpleNamespace)
    assert cpu_allowance(Path("/nowhere")).cpus == 8


def test_a_child_is_restricted_to_the_affinity_that_it_gets(tmp_path: Path) -> None:
    topology(tmp_path)
    assert cpu_allowance(tmp_path, among=[2]).threads == 1
    assert cpu_allowance(tmp_path, among=[]).threads == 4


@pytest.mark.parametrize(("usable", "workers"), [(0.5, 1), (2.5, 2), (3.9999, 4), (8.0, 8)])
def test_workers_are_whole_and_at_least_one(usable: float, workers: int) -> None:
    from orket_lib.telemetry.allowance.cpus import Quota

    assert CpuAllowance(8, 8, None, 8, Quota(usable, "/a")).workers == workers


@pytest.mark.parametrize(
    ("text", "cpus"), [("0-2,5", {0, 1, 2, 5}), ("7", {7}), ("", set()), ("all", set())]
)
def test_a_list_of_cpus(text: str, cpus: set[int]) -> None:
    assert parse_cpus(text) == cpus
    assert ranges(cpus) == (text if cpus else "")
