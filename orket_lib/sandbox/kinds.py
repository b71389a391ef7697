"""The kinds of sandbox with walls: the commands that build them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from orket_lib.sandbox import contained
from orket_lib.sandbox.jobs import Limits
from orket_lib.sandbox.seccomp import call_filter
from orket_lib.sandbox.visible_system import DEVICES, FOLDER, VisibleSystem
from orket_lib.vocabulary.errors import SandboxError

assert sys.platform == "linux"

_HERE = str(Path(__file__).resolve().parent / "inside")
_INSIDE = "/orket"  # where bubblewrap mounts our own modules
_VERSION_S = 10.0
# Before 5.14, a limit on processes counted all processes of the user, not those of the user
# namespace. The other features we need (mount_setattr, close_range) are older.
_OLDEST_KERNEL = (5, 14)


def bubblewrap() -> contained.ContainedSandbox:
    """Return the sandbox that is built by bubblewrap.

    Raises:
        SandboxError: bubblewrap is not installed, or the kernel is too old.
    """
    kernel = _checked_kernel()
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxError("`bwrap` (bubblewrap) is not installed")
    try:
        asked = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=_VERSION_S
        )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"`bwrap --version` did not answer within {_VERSION_S:g} s") from None
    version = asked.stdout.strip()

    def command(system: VisibleSystem, limits: Limits, spec: int, status: int) -> list[str]:
        walls = [found, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        walls += ["--unshare-cgroup-try", "--hostname", "sandbox"]
        if os.geteuid() != 0:  # root changes its user in the supervisor, see `inside.namespaces`
            walls += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
        walls += ["--as-pid-1", "--die-with-parent", "--new-session"]
        for path in system.shown:
            for above in reversed(Path(path).parents[:-1]):
                walls += [
                    "--dir",
                    str(above),
                ]  # created implicitly, it would be accessible to root only
            walls += ["--ro-bind", path, path]
        for path, target in system.links.items():
            walls += ["--symlink", target, path]
        walls += ["--proc", "/proc", "--remount-ro", "/proc", "--tmpfs", "/dev"]
        for path in DEVICES:
            walls += ["--dev-bind", path, path]
        walls += ["--remount-ro", "/dev", "--size", str(limits.disk_bytes), "--tmpfs", FOLDER]
        walls += ["--ro-bind", _HERE, _INSIDE, "--remount-ro", "/", "--"]
        return walls + system.module_command("bubblewrap", _INSIDE, spec, status)

    return contained.ContainedSandbox("bubblewrap", f"{version or 'bubblewrap'}, {kernel}", command)


def namespaces() -> contained.ContainedSandbox:
    """Return the sandbox that we build ourselves, as root or as another user.

    Raises:
        SandboxError: The kernel is too old.
    """
    kernel = _checked_kernel()

    def command(system: VisibleSystem, limits: Limits, spec: int, status: int) -> list[str]:
        return system.module_command("namespaces", _HERE, spec, status)

    return contained.ContainedSandbox("namespaces", f"namespaces, {kernel}", command)


def _checked_kernel() -> str:
    """Return the name of the kernel, which must have what both kinds need."""
    release, machine = platform.release(), platform.machine()
    major, minor = (int("".join(filter(str.isdigit, part)) or 0) for part in release.split(".")[:2])
    if (major, minor) < _OLDEST_KERNEL:
        raise SandboxError(f"needs Linux 5.14 or later, and this is {release}")
    if call_filter(machine) is None:
        raise SandboxError(f"no filter of system calls is known for {machine}")
    return f"Linux {release} {machine}"
