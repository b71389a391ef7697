"""Reading what a process writes, up to a limit: what comes after it is never held in memory."""

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
        limit: Bytes that are kept of all streams together.
        overflow: Called when there are more; it has to end the writer.
    """

    def __init__(self, limit: int, overflow: Callable[[], None]) -> None:
        self.overflowed = False
        self._left = limit
        self._overflow = overflow
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._written = threading.Event()

    def read(self, stream: IO[bytes]) -> bytearray:
        """Start reading a stream to its end, and return what will hold its bytes."""
        kept = bytearray()
        thread = threading.Thread(target=self._read, args=(stream, kept), daemon=True)
        self._threads.append(thread)
        thread.start()
        return kept

    def join(self, timeout_s: float) -> None:
        """Take what is left when the writers have ended, but no longer than so many seconds each.

        A stream need not have an end then: its other side may lie in a socket that nobody has.
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
        """Wait for more and return it; nothing when there is an end, or no writer any more."""
        if sys.platform == "win32":
            return os.read(descriptor, _CHUNK)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            written = self._written.is_set()  # asked first: what came before it is there by now
            if poll.poll(0 if written else _LOOK_MS):
                return os.read(descriptor, _CHUNK)
            if written:
                return b""
