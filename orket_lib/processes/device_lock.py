"""One measurement at a time per device, over all users and folders of a machine.

Two Snakemakes in two folders don't know of each other, but their measurements would share the
processor and distort each other's numbers. A file lock in a machine-wide folder keeps them apart;
the operating system frees it when its holder dies, however that happens. A container has its own
folders, so nothing is locked between it and its host (`ORKET_LOCK_DIR` may name a shared one).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from orket_lib.processes.lock_folder import VARIABLE, LockFolder, lock_folder, unusable
from orket_lib.processes.lock_note import Note, read_note, remove_note, write_note
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.slugs import slug

CPU = "cpu"

_POLL_S, _REMIND_S = 0.2, 600.0
_LONGEST_S = 24 * 3600.0


@contextmanager
def device_locks(
    devices: Iterable[str], purpose: str, say: Callable[[str], None]
) -> Iterator[None]:
    """Hold the locks of several devices; see `device_lock`.

    Every process takes them in the same order, so that no two can wait for each other.
    """
    with contextlib.ExitStack() as held:
        for device in sorted(set(devices), key=lambda name: (name != CPU, name)):
            held.enter_context(device_lock(device, purpose, say))
        yield


@contextmanager
def device_lock(device: str, purpose: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a device; wait while another process measures on it.

    A sweep may hold the lock for hours, so the wait is long; it ends when the holder does.

    Args:
        device: `cpu`, or the UUID of a GPU.
        purpose: What the lock is for, shown to other processes that wait for it.
        say: Called with a message if the lock is taken, and again every ten minutes.

    Raises:
        Refused: Another process held the lock for a day; it may hang. Or the folder of locks can't
            be used.
    """
    lock = _acquired(device, say)
    path = Path(lock.lock_file)
    note, note_path = Note.of_us(purpose), _note_of(path)
    locked = _identity(path)
    try:
        _keep(path)
        write_note(note_path, note)
        yield
    finally:
        remove_note(note_path, note)
        vanished = _identity(path) != locked
        lock.release()
        if vanished:
            say(f"{path} was removed while it was locked: another process may have measured too")


def _acquired(device: str, say: Callable[[str], None]) -> BaseFileLock:
    """Return the lock of a device, locked.

    Raises:
        Refused: It was not free for a day, or can't be locked.
    """
    begin = time.monotonic()
    next_message_s = begin + _POLL_S  # a new holder needs a moment to write its note
    while True:
        lock = FileLock(locks_here().path / f"{slug(device)}.lock", mode=0o666)
        try:
            holder = _other_holder(lock)
        except (OSError, NotImplementedError) as error:  # no rights, or a system without locks
            raise unusable(Path(lock.lock_file), error) from None
        if holder is None:
            return lock
        now = time.monotonic()
        if now - begin >= _LONGEST_S:
            raise Refused(
                f"the {_named(device)} was not free for {_LONGEST_S / 3600:g} h, so nothing was "
                f"measured: {holder}; rerun the same command when it is free"
            )
        if now >= next_message_s:
            so_far = f", {(now - begin) / 60:.0f} min so far" if now - begin >= _REMIND_S else ""
            say(f"waiting for the {_named(device)}{so_far}: {holder}")
            next_message_s = now + _REMIND_S
        time.sleep(_POLL_S)


def _other_holder(lock: BaseFileLock) -> str | None:
    """Try to take a lock; return which process has it, or None when it is ours."""
    path = Path(lock.lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        note = read_note(_note_of(path))
        if note and note.alive:
            return f"{note} is using it"
        gone = f"; {note}, has ended" if note else ""
        look = "" if os.name == "nt" else f"; to find it: fuser -v {path}"
        leave = f"; if it never ends, name another folder of locks: export {VARIABLE}=FOLDER"
        return f"a process that left no note is using it{gone}{look}{leave}"
    note = read_note(_note_of(path))
    if note is None or note.pid == os.getpid() or not note.alive:
        return None
    lock.release()
    return f"{note} is using it, although its lock file was removed"


def _note_of(lock_path: Path) -> Path:
    return lock_path.with_suffix(".holder.json")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from a new one of the same name; None when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _named(device: str) -> str:
    return device if device == CPU else f"GPU {device}"


def locks_here() -> LockFolder:
    """Return the folder of this machine's locks.

    Raises:
        Refused: It can't be used; with what to do.
    """
    return lock_folder(_machine_folder())


def _machine_folder() -> Path:
    """Return a folder that is the same for all users and jobs of a machine.

    It doesn't depend on anything that differs between them, such as TMPDIR or permissions.
    `/run/lock` is writable by root only on some systems; `/var/tmp` by all users on all of them.
    """
    if os.name == "nt":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData"))
    return Path("/var/tmp")


def _keep(path: Path) -> None:
    """Mark a lock's file as used: systems delete old files from `/var/tmp`."""
    with contextlib.suppress(OSError):
        os.utime(path)
