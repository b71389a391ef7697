"""The launcher where no bubblewrap is installed: namespaces of our own, then the supervisor.

It becomes a process in a mount, PID, network, IPC, UTS and cgroup namespace, in a user namespace as
well unless it is root, and builds a root file system in memory that shows what an interpreter needs
and nothing else. Root needs no user namespace and gains by having none: the supervisor becomes a
user whom nobody else is, so that limits per user count the sandbox alone, and files of root's in
/proc can't be written.
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
_USER = 1000  # who the user is inside
_BASE = "/tmp"  # any folder will do: only this process sees what is mounted there
_NOTHING_SPECIAL = kernel.MS_NOSUID | kernel.MS_NODEV


def main(spec: str, status: str) -> NoReturn:
    """Read the spec from a descriptor, leave everything behind, and serve it."""
    with open(int(spec), "rb") as stream:
        job = decode(stream.read())
    kernel.die_with_parent()
    if os.getppid() != job["parent"]:  # it died before the request was in place
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
        except PermissionError:  # root of a container, who is no more than a user
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
    # Opened now, because the base is about to hide whatever lies below it.
    shown = {path: os.open(path, os.O_PATH) for path in (*job["shown"], *job["devices"])}
    kernel.mount("tmpfs", _BASE, "tmpfs", _NOTHING_SPECIAL, "size=1m,mode=755")
    for path, descriptor in shown.items():
        source, target = f"/proc/self/fd/{descriptor}", _BASE + path
        _make_place(target, os.path.isdir(source))
        kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
        limited = kernel.ATTR_NOSUID | kernel.ATTR_RDONLY
        if path not in job["devices"]:
            limited |= kernel.ATTR_NODEV
        kernel.restrict_mount(target, limited)
        os.close(descriptor)
    for path, target in job["links"].items():
        _make_place(os.path.dirname(_BASE + path), True)
        os.symlink(target, _BASE + path)
    _make_place(f"{_BASE}/proc", True)
    flags = _NOTHING_SPECIAL | kernel.MS_NOEXEC | kernel.MS_RDONLY
    kernel.mount("proc", f"{_BASE}/proc", "proc", flags, "subset=pid")
    folder, limits = _BASE + job["folder"], job["limits"]
    _make_place(folder, True)
    room = f"mode=700,size={limits['disk_bytes']},nr_inodes={limits['disk_files'] + 1}"
    kernel.mount("tmpfs", folder, "tmpfs", _NOTHING_SPECIAL, room)
    kernel.enter_root(_BASE)
    kernel.restrict_mount("/", kernel.ATTR_RDONLY, recursive=False)


def _make_place(path: str, folder: bool) -> None:
    os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
    if not folder:
        with open(path, "xb"):
            pass
