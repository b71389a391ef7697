"""A server that we start from the user's own binary: it runs as long as its context.

See `server_supervisor` for the process between us and the server, and its reason.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from orket_lib.processes.json_child import JsonChild
from orket_lib.processes.server_supervisor import STOP_TIMEOUT_S
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause, Ending

_ANSWER_S = 60.0  # to start a process, or to report how one ended, takes a moment
_PATIENCE_S = 10.0  # beyond the time that the supervisor itself gives the server


class SupervisedServer:
    """A server that runs, or has run.

    Attributes:
        pid: Of the server itself.
        started_s: The clock at its start (`time.perf_counter`, seconds).
    """

    def __init__(self, supervisor: JsonChild, pid: int) -> None:
        self.started_s = time.perf_counter()
        self.pid = pid
        self._supervisor = supervisor
        self._ending: Ending | None = None

    def death(self, within_s: float) -> Ending | None:
        """Return how the server ended; None when it still runs after `within_s`."""
        if self._ending is None and self._supervisor.exit_status(within_s) is not None:
            said = _next_answer(self._supervisor)
            lived_s = time.perf_counter() - self.started_s
            self._ending = Ending(said.get("exit"), lived_s, self.pid, said.get("peak_rss_mib"))
        return self._ending


@contextmanager
def supervised_server(
    command: Sequence[str], environment: Mapping[str, str], cpus: Sequence[int], log: Path
) -> Iterator[SupervisedServer]:
    """Run a server until the context ends; after that its process is gone.

    Args:
        command: With its arguments.
        environment: All of it.
        cpus: The CPUs that it may use; empty means all.
        log: Where its messages go; replaced.

    Raises:
        LoadError: It can't be started.
    """
    settings = {"command": list(command), "cpus": list(cpus)}
    with log.open("wb") as messages:
        supervisor = JsonChild(
            "orket_lib.processes.server_supervisor", settings, messages, environment
        )
    process = None
    try:
        answer = _next_answer(supervisor)
        if "pid" not in answer:
            hangs = "the process that starts the server ended at once, or hangs"
            raise LoadError(answer.get("error", hangs), Cause.NOT_SET_UP)
        server = SupervisedServer(supervisor, answer["pid"])
        with suppress(psutil.NoSuchProcess):  # dead already
            process = psutil.Process(server.pid)
        yield server
    finally:
        supervisor.end(STOP_TIMEOUT_S + _PATIENCE_S)
        if process is not None:
            _kill_left(process)


def _kill_left(server: psutil.Process) -> None:
    """Kill what a killed supervisor left: the server, and what that has started."""
    # No process gets the number of a group that has members; one that has it is another group's.
    if sys.platform != "win32" and (server.is_running() or not psutil.pid_exists(server.pid)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(server.pid, signal.SIGKILL)
    with suppress(psutil.Error):
        server.kill()
    psutil.wait_procs([server], timeout=_PATIENCE_S)


def _next_answer(supervisor: JsonChild) -> dict[str, Any]:
    """Return the supervisor's next answer; an empty one when there is none in time."""
    try:
        return supervisor.answer(_ANSWER_S) or {}
    except TimeoutError:
        return {}
