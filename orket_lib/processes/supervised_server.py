"""A server of the user's own that we start: it runs as long as we want it, and not a moment longer.

See `keeper` for who stands between us and the server, and why.
"""

from __future__ import annotations

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

_ANSWER_S = 60.0  # to start a process, or to say how one ended, takes a moment
_PATIENCE_S = 10.0  # beyond what the keeper itself waits for its server


class KeptServer:
    """A server that runs, or has run.

    Attributes:
        pid: Of the server itself.
        started_s: The clock at its start (`time.perf_counter`, seconds).
    """

    def __init__(self, keeper: JsonChild, pid: int) -> None:
        self.started_s = time.perf_counter()
        self.pid = pid
        self._keeper = keeper
        self._ended: Ending | None = None

    def death(self, within_s: float) -> Ending | None:
        """Return how the server ended, or None when it runs for so much longer."""
        if self._keeper.exit_status(within_s) is None:
            return None
        if self._ended is None:
            said = _next_answer(self._keeper)
            lived_s = time.perf_counter() - self.started_s
            self._ended = Ending(said.get("exit"), lived_s, self.pid, said.get("peak_rss_mib"))
        return self._ended


@contextmanager
def kept_server(
    command: Sequence[str], environment: Mapping[str, str], cpus: Sequence[int], log: Path
) -> Iterator[KeptServer]:
    """Run a server until the context ends; then it has ended, and is gone.

    Args:
        command: With its arguments.
        environment: All of it.
        cpus: That it may use; none named is all.
        log: Where its messages go; replaced.

    Raises:
        LoadError: It can't be started.
    """
    with log.open("wb") as messages:
        settings = {"command": list(command), "cpus": list(cpus)}
        keeper = JsonChild("orket_lib.processes.server_supervisor", settings, messages, environment)
    server = None
    try:
        answer = _next_answer(keeper)
        if "pid" not in answer:
            why = answer.get("error", "the process that starts the server ended at once, or hangs")
            raise LoadError(why, Cause.NOT_SET_UP)
        kept = KeptServer(keeper, answer["pid"])
        with suppress(psutil.NoSuchProcess):  # dead already
            server = psutil.Process(kept.pid)
        yield kept
    finally:
        keeper.end(STOP_TIMEOUT_S + _PATIENCE_S)
        if server is not None:  # gone by now, unless its keeper was killed
            with suppress(psutil.Error):
                server.kill()
            psutil.wait_procs([server], timeout=_PATIENCE_S)


def _next_answer(keeper: JsonChild) -> dict[str, Any]:
    """Return the keeper's next answer; an empty one when it says no more, or nothing in time."""
    try:
        return keeper.answer(_ANSWER_S) or {}
    except TimeoutError:
        return {}
