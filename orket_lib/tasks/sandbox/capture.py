"""Reading what a process writes, up to a limit: what comes after it is never held in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import IO

_CHUNK = 65536


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

    def read(self, stream: IO[bytes]) -> bytearray:
        """Start reading a stream to its end, and return what will hold its bytes."""
        kept = bytearray()
        thread = threading.Thread(target=self._read, args=(stream, kept), daemon=True)
        self._threads.append(thread)
        thread.start()
        return kept

    def join(self, timeout_s: float) -> None:
        """Wait until every stream has ended, but for each no longer than so many seconds."""
        for thread in self._threads:
            thread.join(timeout_s)

    def _read(self, stream: IO[bytes], kept: bytearray) -> None:
        with stream:
            while data := os.read(stream.fileno(), _CHUNK):
                with self._lock:
                    fits = min(len(data), self._left)
                    kept += data[:fits]
                    self._left -= fits
                if fits < len(data):
                    self.overflowed = True
                    self._overflow()
                    return
