"""One measurement at a time per device, over all users and folders of a machine.

Two Snakemakes in two folders know nothing of each other, but their measurements would share the
processor and spoil each other's numbers. A file lock in one folder of the machine keeps them apart;
the operating system frees it when its holder dies, however that happens. A container has folders of
its own: between it and the machine around it nothing is locked.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from orket_lib.vocabulary.slugs import slug

CPU = "cpu"

_ALL_USERS = "*S-1-5-32-545"  # Windows' group of them, whatever its name is in their language


@contextmanager
def device_locks(
    devices: Iterable[str], purpose: str, waiting: Callable[[str], None]
) -> Iterator[None]:
    """Hold the locks of several devices; see `device_lock`.

    All of us take them in one order, so that no two can wait for each other.
    """
    with contextlib.ExitStack() as held:
        for device in sorted(set(devices), key=lambda name: (name != CPU, name)):
            held.enter_context(device_lock(device, purpose, waiting))
        yield


@contextmanager
def device_lock(device: str, purpose: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a device; while somebody else has it, say so once and wait.

    Args:
        device: `cpu`, or the UUID of a GPU.
        purpose: What the lock is wanted for, shown to others who wait for it.
        waiting: Called with one sentence if the lock is taken.
    """
    folder = _folder()
    lock = FileLock(folder / f"{slug(device)}.lock", mode=0o666)
    holder = folder / f"{slug(device)}.holder.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting(f"waiting for the {_named(device)}: {_describe(holder)} is using it")
        lock.acquire()
    try:
        _keep(lock)
        _sign(holder, purpose)
        yield
    finally:
        lock.release()


def _named(device: str) -> str:
    return device if device == CPU else f"GPU {device}"


def _folder() -> Path:
    """Return the lock folder, usable by all users (no sticky bit: any of them may open a lock).

    Raises:
        NotADirectoryError: Something else is in its place, as a link that somebody put there.
    """
    base = _machine_folder() / "orket-locks"
    with contextlib.suppress(FileExistsError):
        base.mkdir()
        _share(base)
    if base.is_symlink() or not base.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "must be a folder of locks, is none", str(base))
    return base


def _machine_folder() -> Path:
    """Return a folder that is the same for all users and jobs of a machine.

    It depends on nothing that differs between them: not on TMPDIR, nor on what this user may write.
    `/run/lock` belongs to root alone on some systems; `/var/tmp` is everybody's on all of them.
    """
    if os.name == "nt":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData"))
    return Path("/var/tmp")


def _share(folder: Path) -> None:
    """Let all users write into a folder that we have just made."""
    if os.name != "nt":
        folder.chmod(0o777)  # what mkdir was told is cut by the umask
        return
    # Else a file that one user made could only be read by the others, who would wait for ever.
    grant = ["icacls", str(folder), "/grant", f"{_ALL_USERS}:(OI)(CI)M", "/q"]
    subprocess.run(grant, check=False, capture_output=True)


def _keep(lock: FileLock) -> None:
    """Mark a lock's file as used: systems remove from `/var/tmp` what is a month old."""
    with contextlib.suppress(OSError):
        os.utime(lock.lock_file)


def _sign(holder: Path, purpose: str) -> None:
    with contextlib.suppress(OSError):  # courtesy only; the lock is what counts
        holder.unlink(missing_ok=True)
        with holder.open("x", encoding="utf-8") as stream:  # never into what a link points to
            json.dump({"pid": os.getpid(), "purpose": purpose}, stream)
            if os.chmod in os.supports_fd:  # who waits is to read it, whatever the umask is
                os.chmod(stream.fileno(), 0o644)  # noqa: PTH101 - never what a link points to


def _describe(holder: Path) -> str:
    try:
        content = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {content['pid']} ({content['purpose']})"
    except (OSError, ValueError, KeyError):
        return "another process"
