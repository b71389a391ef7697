"""A wall-clock limit for one request, and a size limit for its answer, whatever the server does.

The client's own timeouts start again with every byte, so a server that sends one now and then never
runs into them. When the time is up, the connection is shut down, which ends any read.
"""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

import httpx

from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.units import MIB

_PIECE = 64 * 1024  # of a body that is unpacked: 64 KiB may hold gigabytes
_PACKED = ("gzip", "x-gzip", "deflate")


class OutOfTime(Exception):
    """The time limit of a request has passed."""


class Deadline:
    """Ends a request after a time, in whatever state it is.

    Args:
        seconds: From entering the context.

    Attributes:
        passed: Whether the time is up.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
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
        """Notice the connection; given to the HTTP client as its `trace` extension."""
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


def whole_body(response: httpx.Response, most_bytes: int, deadline: Deadline, where: str) -> bytes:
    """Return the body of a response; see `beginning`.

    Raises:
        RequestFailed: It is longer than `most_bytes`, too.
    """
    body = beginning(response, most_bytes, deadline, where)
    if len(body) > most_bytes:
        message = f"{where}no end of the answer after {most_bytes / MIB:g} MiB"
        raise RequestFailed(message, Fault.ENDLESS)
    return body


def beginning(response: httpx.Response, most_bytes: int, deadline: Deadline, where: str) -> bytes:
    """Return the body of a response; of a longer one, the first bytes and at least one more.

    Args:
        response: With its body not read yet.
        most_bytes: Where reading stops.
        deadline: Of the request.
        where: Begins error messages.

    Raises:
        OutOfTime: It is not complete when the time is up.
        RequestFailed: It is packed in a way that was not asked for and is not understood.
    """
    pieces: list[bytes] = []
    size = 0
    for piece in _unpacked(response, where):
        deadline.require_time()
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            break
    # A body without a length ends with its connection, even if it was we who ended that.
    deadline.require_time()
    return b"".join(pieces)


def _unpacked(response: httpx.Response, where: str) -> Iterator[bytes]:
    """Yield a body in pieces, unpacked; the client's own unpacking has no limit."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing in ("identity", ""):
        yield from response.iter_bytes()
        return
    if packing not in _PACKED:
        message = f"{where}the answer is packed as {packing}, which was not asked for"
        raise RequestFailed(message, Fault.NOT_JSON)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        for read in response.iter_raw():
            left = read
            while left:
                yield unpacker.decompress(left, _PIECE)
                left = unpacker.unconsumed_tail
    except zlib.error:
        raise RequestFailed(f"{where}the answer's {packing} is damaged", Fault.NOT_JSON) from None
