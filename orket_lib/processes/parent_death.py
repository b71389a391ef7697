"""A child process that goes when its parent goes, however that dies.

On Linux the kernel is asked to see to it, which covers a parent that is killed at any moment, also
while the child is busy with something else than watching. Elsewhere the child has to watch the pipe
that its parent holds open.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request was in place
            os._exit(1)


def wait_for_end_of(stream: BinaryIO) -> None:
    """Return when nobody holds the other end of a pipe any more."""
    while stream.read(1):
        pass
