"""A server of the user's own that we start: it runs as long as we want it, and not a moment longer.

See `keeper` for who stands between us and the server, and why.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from orket_lib.providers.keeper import STOP_TIMEOUT_S
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause, Ending

_PATIENCE_S = 10.0  # beyond what the keeper itself waits for its server


class KeptServer:
    """A server that runs, or has run.

    Attributes:
        pid: Of the server itself.
        started_s: The clock at its start (`time.perf_counter`, seconds).
    """

    def __init__(self, keeper: subprocess.Popen[bytes], pid: int) -> None:
        self.started_s = time.perf_counter()
        self.pid = pid
        self._keeper = keeper
        self._ended: Ending | None = None

    def death(self, within_s: float) -> Ending | None:
        """Return how the server ended, or None when it runs for so much longer."""
        try:
            self._keeper.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
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
        keeper = subprocess.Popen(
            [sys.executable, "-m", "orket_lib.providers.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            env=dict(environment),
        )
    server = None
    try:
        assert keeper.stdin is not None
        with suppress(OSError):  # it is dead already, which the missing answer shows
            keeper.stdin.write(json.dumps({"command": command, "cpus": cpus}).encode() + b"\n")
            keeper.stdin.flush()
        answer = _next_answer(keeper)
        if "pid" not in answer:
            told = answer.get("error", "the process that starts the server ended at once")
            raise LoadError(told, Cause.NOT_SET_UP)
        kept = KeptServer(keeper, answer["pid"])
        with suppress(psutil.NoSuchProcess):  # dead already
            server = psutil.Process(kept.pid)
        yield kept
    finally:
        _stop(keeper, server)


def _next_answer(keeper: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the keeper's next answer; an empty one when it will say no more."""
    assert keeper.stdout is not None
    line = keeper.stdout.readline()
    answer: dict[str, Any] = json.loads(line) if line else {}
    return answer


def _stop(keeper: subprocess.Popen[bytes], server: psutil.Process | None) -> None:
    """Have the server ended, and see that it is."""
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    with suppress(OSError):
        keeper.stdin.close()
    try:
        keeper.wait(timeout=STOP_TIMEOUT_S + _PATIENCE_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    keeper.stdout.close()
    if server is not None:  # gone by now, unless its keeper was killed
        with suppress(psutil.Error):
            server.kill()
        psutil.wait_procs([server], timeout=_PATIENCE_S)
