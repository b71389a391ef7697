"""A wall-clock limit for one request, whatever the server does.

The client's own timeouts start again with every byte, so a server that sends one now and then never
runs into them. When the time is up, the connection is shut down, which ends any read.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any


class OutOfTime(Exception):
    """The time limit of a request has passed."""


class Deadline:
    """Ends a request after a time, in whatever state it is.

    Args:
        seconds: From entering the context.

    Attributes:
        passed: Whether the time is up.
        marks: The clock at each stage of the request, by the HTTP client's name of the stage.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.marks: dict[str, float] = {}
        self._connection: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def trace(self, stage: str, info: dict[str, Any]) -> None:
        """Notice a stage; given to the HTTP client as its `trace` extension."""
        self.marks[stage] = time.perf_counter()
        if stage in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._connection = info["return_value"]
            if self.passed:
                self._end()

    def require_time(self) -> None:
        """Raise if the time is up.

        Raises:
            OutOfTime: It is.
        """
        if self.passed:
            raise OutOfTime

    def _end(self) -> None:
        self.passed = True
        found = self._connection and self._connection.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):
                # Not the method of a TLS socket: another thread may be reading from it.
                socket.socket.shutdown(found, socket.SHUT_RDWR)
