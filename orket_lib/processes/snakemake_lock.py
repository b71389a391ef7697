"""Snakemake's lock on a folder, taken away when the Snakemake that took it is dead.

A Snakemake that is killed leaves its lock behind. The next one then asks for `--unlock`, which
would unlock a sweep that runs, too. So each of our Snakemakes leaves a note, and holds a file lock
on it as long as it lives: the operating system frees that with the process, however it ends. A lock
is taken away only if it locks nothing but the files of a dead sweep, and no job of that is left.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from orket_lib.processes.snakemake_watchdog import SNAKEMAKE, identity_of
from orket_lib.processes.waiting import wait_until
from orket_lib.vocabulary.errors import Refused

_LOCKS = Path(".snakemake", "locks")
_NOTES = Path(".snakemake", "orket", "running")
_LAST_BREATH_S = 10.0  # for the jobs of a dead Snakemake
_POLL_S = 0.1

_held: list[FileLock] = []  # until this process ends


class _Note(BaseModel):
    """A Snakemake that works in this folder, or did.

    Attributes:
        host: Of the machine: a lock of another one may not be seen here.
        snakemake: Its process, as its jobs know it.
        results: Folder of all files that it makes.
    """

    host: str
    snakemake: str
    results: str


def take_over(results: str, say: Callable[[str], None]) -> None:
    """Note that this process works on a sweep, and remove the lock that a dead one left on it.

    Args:
        results: Folder of all files that the sweep makes.
        say: Prints a message.

    Raises:
        Refused: Another Snakemake works on it.
    """
    own = _Note(host=platform.node(), snakemake=identity_of(os.getpid()), results=results)
    # First: of two that are started at once, each sees that the other one runs.
    _leave(own)
    notes = [(path, it) for path, it in _notes() if it.results == results and it != own]
    working = [note for path, note in notes if not _is_dead(path, note)]
    locks = [path for path in _LOCKS.glob("*.output.lock") if _is_of(path, results)]
    if working and locks:
        raise Refused(_at_work(working[0]))
    if working:
        return
    dead = {note.snakemake for _, note in notes}
    if locks and not (dead and wait_until(lambda: not _jobs(dead), _LAST_BREATH_S, _POLL_S)):
        return
    with suppress(OSError):  # Snakemake tells what is locked
        for path in locks:
            path.unlink()
            path.with_name(path.name.replace(".output.", ".input.")).unlink(missing_ok=True)
        for path, _ in notes:
            path.unlink()
            _file_of(path).unlink(missing_ok=True)
        if locks:
            say(f"{results}: a sweep was killed here; this one goes on from there")


def _at_work(note: _Note) -> str:
    if note.host != platform.node():
        unlock = "if that was killed, type: snakemake --unlock"
        return f"{note.results}: a Snakemake on {note.host} works on this sweep; {unlock}"
    pid, _, _ = note.snakemake.partition(":")
    return f"{note.results}: this sweep runs already (process {pid}); to see it, type: orket watch"


def _leave(note: _Note) -> None:
    """Leave a note, if that is possible: not without rights, or without file locks."""
    path = _NOTES / f"{os.getpid()}-{secrets.token_hex(4)}"
    with suppress(OSError, NotImplementedError, Timeout):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_file_of(path))
        lock.acquire(timeout=0)
        _held.append(lock)
        path.write_text(note.model_dump_json(), encoding="utf-8")


def _notes() -> Iterator[tuple[Path, _Note]]:
    for path in _NOTES.glob("*"):
        with suppress(OSError, ValidationError):
            if not path.suffix:
                yield path, _Note.model_validate_json(path.read_bytes())


def _is_of(path: Path, results: str) -> bool:
    """Tell whether a lock is on nothing but files of a sweep."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return bool(lines) and all(line.startswith(f"{results}/") for line in lines)


def _is_dead(path: Path, note: _Note) -> bool:
    if note.host != platform.node():
        return False
    lock = FileLock(_file_of(path))
    try:
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError, Timeout):
        return False
    lock.release()
    return True


def _jobs(snakemakes: set[str]) -> list[int]:
    """Return the jobs of some Snakemakes that still run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(SNAKEMAKE) in snakemakes:
                found.append(process.pid)
    return found


def _file_of(path: Path) -> Path:
    return path.with_suffix(".lock")
