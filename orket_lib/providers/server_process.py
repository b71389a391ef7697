"""The process of a server that runs already, and whether it is still the same.

Nothing is started or ended here. A process is identified by its pid and start time, because a
restarted server may get the same pid. Where the system hides which process listens, only the
server's answers can be checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil

from orket_lib.processes.port_owner import listening_pid
from orket_lib.processes.process_end import is_running
from orket_lib.processes.waiting import wait_until
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


def served_file(path: object, pid: int | None) -> Path | None:
    """Return the file that a process of this machine serves, or None where it is unknown.

    A path is meaningful only on the server's machine and relative to its folder, and a file that is
    newer than the process may not be the one that it loaded.

    Args:
        path: As the server reports it.
        pid: Of its process.
    """
    if pid is None or not isinstance(path, str) or not path:
        return None
    try:
        process = psutil.Process(pid)
        served = Path(process.cwd()) / path
        file, folder = served.stat(), served.resolve().parent.stat()
        # A file that is renamed over another one keeps its mtime, but changes its own ctime and the
        # folder's mtime; a link to it elsewhere changes only the first. (On Windows, `st_ctime` is
        # the creation time.)
        replaced = 0.0 if os.name == "nt" else min(file.st_ctime, folder.st_mtime)
        changed = max(file.st_mtime, replaced)
        old = changed <= process.create_time()
    except (OSError, psutil.Error):
        return None
    return served if old and served.is_file() and os.access(served, os.R_OK) else None


class ServerProcess:
    """The process that listens at an address, as it was found.

    Args:
        base_url: Of the server.
        answers: Returns whether a server answers there.
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
        """The process that serves now; None when it is on another machine or can't be found."""
        return self._process.pid if self._process else None

    @property
    def children(self) -> list[psutil.Process]:
        """All descendants of the process."""
        try:
            return self._process.children(recursive=True) if self._process else []
        except psutil.Error:
            return []

    def replaced(self) -> str | None:
        """Return what happened to the process since it was found; None when it still runs."""
        if self._process is None or is_running(self._process):
            return None
        before, self._process = self._name, self._find(self._base_url)
        self._name = _described(self._process)
        return f"{before} ended; {self._name} listens at {self._base_url}"

    def explained(self, error: ProviderError) -> ProviderError:
        """Return the error, or `ServerCrashed` where the server is dead or dies within a moment."""
        if getattr(error, "fault", None) not in _GONE:
            return error
        process = self._process
        if process is not None and wait_until(lambda: not is_running(process), _DYING_S, _POLL_S):
            what = f"the server, process {process.pid}, ended ({error})"
            return ServerCrashed(what, Cause.GONE)
        if not self._answers():
            return ServerCrashed(f"the server at {self._base_url} is gone ({error})", Cause.GONE)
        return error


def _described(process: psutil.Process | None) -> str:
    """Return a process with its name, which a dead one no longer has, for a message."""
    if process is None:
        return "no visible process"
    try:
        return f"process {process.pid} ({process.name()})"
    except psutil.Error:
        return f"process {process.pid}"
