"""Waiting for a condition, with a timeout."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout_s: float, poll_s: float) -> bool:
    """Poll a condition until it holds.

    Args:
        condition: Called at least once.
        timeout_s: The condition is not called again after this many seconds.
        poll_s: Seconds between two calls.

    Returns:
        Whether it held in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True
