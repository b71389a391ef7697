"""Reads the output of a process up to a limit; output beyond it is never held in memory."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import IO

if sys.platform != "win32":
    import select

_CHUNK = 65536
_LOOK_MS = 100


class Capture:
    """Reads several streams at the same time, each in a thread.

    Args:
        limit: Bytes to keep of all streams together.
        overflow: Called when there are more; it must end the writer.
    """

    def __init__(self, limit: int, overflow: Callable[[], None]) -> None:
        self.overflowed = False
        self._left = limit
        self._overflow = overflow
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._written = threading.Event()

    def read(self, stream: IO[bytes]) -> bytearray:
        """Start reading a stream to its end, and return the buffer that receives its bytes."""
        kept = bytearray()
        thread = threading.Thread(target=self._read, args=(stream, kept), daemon=True)
        self._threads.append(thread)
        thread.start()
        return kept

    def join(self, timeout_s: float) -> None:
        """Read what is left after the writers have ended, for at most `timeout_s` per stream.

        A stream may not be at its end even then: its writing end may be in flight in a socket that
        no process holds.
        """
        self._written.set()
        for thread in self._threads:
            thread.join(timeout_s)

    def _read(self, stream: IO[bytes], kept: bytearray) -> None:
        with stream:
            while data := self._next(stream.fileno()):
                with self._lock:
                    fits = min(len(data), self._left)
                    kept += data[:fits]
                    self._left -= fits
                if fits < len(data):
                    self.overflowed = True
                    self._overflow()
                    return

    def _next(self, descriptor: int) -> bytes:
        """Wait for more data and return it; empty at the end, or if no writer is left."""
        if sys.platform == "win32":
            return os.read(descriptor, _CHUNK)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            written = (
                self._written.is_set()
            )  # checked first: data written before it is readable now
            if poll.poll(0 if written else _LOOK_MS):
                return os.read(descriptor, _CHUNK)
            if written:
                return b""
