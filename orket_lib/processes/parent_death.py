"""A child process that ends when its parent ends, however that dies.

On Linux the kernel does it, which covers a parent that is killed at any moment, even while the
child is busy. Elsewhere the child watches the pipe that its parent holds open.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals | None = None) -> None:
    """Ask the kernel to kill this process when its parent ends.

    Args:
        by: The signal that it sends then; None means that of `kill -9`.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by or signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the request took effect
            os._exit(1)


def wait_for_end_of(stream: BinaryIO) -> None:
    """Return when the other end of a pipe is closed."""
    while stream.read(1):
        pass
