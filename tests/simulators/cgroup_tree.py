"""A file system as the kernel shows it to a process in control groups, as a folder of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

V1, V2 = "cgroup", "cgroup2"


def add_tree(
    root: Path,
    kind: str,
    groups: Mapping[str, Mapping[str, str]],
    path: str = "/",
    controllers: str = "cpu,cpuacct",
    point: str = "",
    mount_root: str = "/",
) -> Path:
    """Add a mounted tree of groups, and make our process a member of one of them.

    Args:
        root: Root of the file system.
        kind: `V1` or `V2`.
        groups: Files of each group, by the group's path below the mount.
        path: The group of our process, as in /proc/self/cgroup.
        controllers: Of v1.
        point: Where it is mounted.
        mount_root: The group that is its uppermost folder.
    """
    point = point or f"/sys/fs/cgroup{f'/{controllers}' if kind == V1 else ''}"
    for name, files in groups.items():
        folder = root / f"{point}{name}".lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(f"{text}\n", encoding="ascii")
    number = "3" if kind == V1 else "0"
    listed = controllers if kind == V1 else ""
    options = f"rw,{controllers}" if kind == V1 else "rw"
    shown = point.replace(" ", "\\040")
    _append(root / "proc/self/cgroup", f"{number}:{listed}:{path}")
    _append(
        root / "proc/self/mountinfo",
        f"36 25 0:31 {mount_root} {shown} rw,nosuid shared:9 - {kind} {kind} {options}",
    )
    return root


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as stream:
        stream.write(f"{line}\n")
