"""Entry point without bubblewrap: makes the namespaces, then starts the supervisor.

It enters new mount, PID, network, IPC, UTS and cgroup namespaces, and a user namespace unless it is
root, and builds a root file system in memory with only what an interpreter needs. As root, it does
better without a user namespace: the supervisor switches to an unused user id, so that limits per
user count the sandbox alone, and root's files in /proc can't be written.
"""

# ruff: noqa: PTH103, PTH112, PTH120, PTH123, PTH211
# pathlib takes 10 ms to import, a third of what a sandbox may cost.

from __future__ import annotations

import os
import sys

from orket_lib.sandbox.inside import kernel, supervisor
from orket_lib.sandbox.inside.values import decode

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_USER = 1000  # the user id inside
_BASE = "/tmp"  # any folder will do: only this process sees the mounts
_NO_SUID_NO_DEVICES = kernel.MS_NOSUID | kernel.MS_NODEV


def main(spec: str, status: str) -> NoReturn:
    """Read the spec from a descriptor, enter the namespaces, and run its job."""
    with open(int(spec), "rb") as stream:
        job = decode(stream.read())
    kernel.die_with_parent()
    if os.getppid() != job["parent"]:  # it died before the request took effect
        os._exit(1)
    _separate()
    pid = os.fork()
    if pid:
        os.close(int(status))
        os.waitpid(pid, 0)
        os._exit(0)
    kernel.die_with_parent()
    os.umask(0o022)
    _build_root(job)
    kernel.set_host_name("sandbox")
    supervisor.serve(job, int(status))


def _separate() -> None:
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        try:
            kernel.unshare(_NAMESPACES)
        except PermissionError:  # root of an unprivileged container
            pass
        else:
            return
    kernel.unshare(_NAMESPACES | kernel.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_USER} {uid} 1"),
        ("gid_map", f"{_USER} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as stream:
            stream.write(text)


def _build_root(job: dict[str, Any]) -> None:
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_SLAVE)
    # Opened now, because the mount on the base hides everything below it.
    shown = {path: os.open(path, os.O_PATH) for path in (*job["shown"], *job["devices"])}
    kernel.mount("tmpfs", _BASE, "tmpfs", _NO_SUID_NO_DEVICES, "size=1m,mode=755")
    for path, descriptor in shown.items():
        source, target = f"/proc/self/fd/{descriptor}", _BASE + path
        _make_mount_point(target, os.path.isdir(source))
        kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
        limited = kernel.ATTR_NOSUID | kernel.ATTR_RDONLY
        if path not in job["devices"]:
            limited |= kernel.ATTR_NODEV
        kernel.restrict_mount(target, limited)
        os.close(descriptor)
    for path, target in job["links"].items():
        _make_mount_point(os.path.dirname(_BASE + path), True)
        os.symlink(target, _BASE + path)
    _make_mount_point(f"{_BASE}/proc", True)
    flags = _NO_SUID_NO_DEVICES | kernel.MS_NOEXEC | kernel.MS_RDONLY
    kernel.mount("proc", f"{_BASE}/proc", "proc", flags, "subset=pid")
    folder, limits = _BASE + job["folder"], job["limits"]
    _make_mount_point(folder, True)
    options = f"mode=700,size={limits['disk_bytes']},nr_inodes={limits['disk_files'] + 1}"
    kernel.mount("tmpfs", folder, "tmpfs", _NO_SUID_NO_DEVICES, options)
    kernel.enter_root(_BASE)
    kernel.restrict_mount("/", kernel.ATTR_RDONLY, recursive=False)


def _make_mount_point(path: str, folder: bool) -> None:
    os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
    if not folder:
        with open(path, "xb"):
            pass
