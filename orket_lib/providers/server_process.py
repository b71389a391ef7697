"""The process of a server that runs already: whose memory it is, and whether it is still the same.

Nothing is started or ended here. A process is known by its pid and the time of its birth, because a
restarted server may well get the pid of the one before; where the system doesn't tell which process
listens, the server is known by what it answers only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from orket_lib.processes.port_owner import listening_pid
from orket_lib.vocabulary.errors import Fault, ProviderError, ServerCrashed
from orket_lib.vocabulary.failures import Cause

_DYING_S, _POLL_S = 0.2, 0.02
# How a request ends when its server ends.
_GONE = (Fault.REFUSED, Fault.RESET, Fault.CUT_STREAM)


def process_at(base_url: str) -> psutil.Process | None:
    """Return the process that listens at an address, as `listening_pid` finds it."""
    pid = listening_pid(base_url)
    try:
        return None if pid is None else psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def served_file(told: object, pid: int | None) -> Path | None:
    """Return the file that a process of this machine serves, or None where that can't be told.

    A path means something on its own machine and in its own folder only, and a file that is younger
    than the process may not be what that has loaded.

    Args:
        told: The path that the server names.
        pid: Of its process.
    """
    if pid is None or not isinstance(told, str) or not told:
        return None
    try:
        process = psutil.Process(pid)
        path = Path(process.cwd()) / told
        file, folder = path.stat(), path.resolve().parent.stat()
        # A file that is renamed over another one keeps its time of writing, but it is changed, and
        # so is its folder; a link to it elsewhere changes the one alone. (On Windows, `st_ctime` is
        # the time when it was made.)
        replaced = 0.0 if os.name == "nt" else min(file.st_ctime, folder.st_mtime)
        changed = max(file.st_mtime, replaced)
        old = changed <= process.create_time()
    except (OSError, psutil.Error):
        return None
    return path if old and path.is_file() and os.access(path, os.R_OK) else None


class ServerProcess:
    """The process that listens at an address, as it was found.

    Args:
        base_url: Of the server.
        answers: Tells whether anybody answers there.
        find: Finds its process.
    """

    def __init__(
        self,
        base_url: str,
        answers: Callable[[], bool],
        find: Callable[[str], psutil.Process | None] = process_at,
    ) -> None:
        self._base_url = base_url
        self._answers = answers
        self._find = find
        self._process = find(base_url)
        self._name = _described(self._process)

    @property
    def pid(self) -> int | None:
        """The process that serves now; None for another machine's, and where it can't be found."""
        return self._process.pid if self._process else None

    @property
    def children(self) -> list[psutil.Process]:
        """The processes that it has started, and those that they have."""
        try:
            return self._process.children(recursive=True) if self._process else []
        except psutil.Error:
            return []

    def replaced(self) -> str | None:
        """Return what became of the process since it was found; None when it is still there."""
        if self._process is None or is_alive(self._process):
            return None
        before, self._process = self._name, self._find(self._base_url)
        self._name = _described(self._process)
        return f"{before} ended; {self._name} listens at {self._base_url}"

    def explained(self, error: ProviderError) -> ProviderError:
        """Tell a failed request from a dead server; a dying one gets a moment to be dead."""
        if getattr(error, "fault", None) not in _GONE:
            return error
        if self._process is not None and _ends(self._process):
            what = f"the server, process {self._process.pid}, ended ({error})"
            return ServerCrashed(what, Cause.GONE)
        if not self._answers():
            return ServerCrashed(f"the server at {self._base_url} is gone ({error})", Cause.GONE)
        return error


def _described(process: psutil.Process | None) -> str:
    """Return a process with its name, which a dead one no longer has."""
    if process is None:
        return "nobody that can be seen"
    try:
        return f"process {process.pid} ({process.name()})"
    except psutil.Error:
        return f"process {process.pid}"


def is_alive(process: psutil.Process) -> bool:
    """Tell whether it is still the same process, and not a dead one that nobody has reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ends(process: psutil.Process) -> bool:
    deadline = time.monotonic() + _DYING_S
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
