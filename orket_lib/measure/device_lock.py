"""One measurement at a time per device, over all users and folders of a machine.

Two Snakemakes in two folders know nothing of each other, but their measurements would share the
processor and spoil each other's numbers. A file lock in the machine's runtime folder keeps them
apart; the operating system frees it when its holder dies, however that happens.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from orket_lib.vocabulary.slugs import slug

CPU = "cpu"


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
        _sign(holder, purpose)
        yield
    finally:
        lock.release()


def _named(device: str) -> str:
    return device if device == CPU else f"GPU {device}"


def _folder() -> Path:
    """Return the lock folder, usable by all users (no sticky bit: any of them may open a lock)."""
    base = _machine_folder() / "orket-locks"
    base.mkdir(exist_ok=True)
    with contextlib.suppress(PermissionError):  # made by another user, with these rights
        base.chmod(0o777)
    return base


def _machine_folder() -> Path:
    """Return a folder that is the same for all users and jobs, whatever their TMPDIR says."""
    if os.name == "nt":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData"))
    runtime = Path("/run/lock")
    return runtime if os.access(runtime, os.W_OK) else Path("/var/tmp")


def _sign(holder: Path, purpose: str) -> None:
    with contextlib.suppress(OSError):  # courtesy only; the lock is what counts
        holder.unlink(missing_ok=True)
        holder.write_text(json.dumps({"pid": os.getpid(), "purpose": purpose}), encoding="utf-8")


def _describe(holder: Path) -> str:
    try:
        content = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {content['pid']} ({content['purpose']})"
    except (OSError, ValueError, KeyError):
        return "another process"
