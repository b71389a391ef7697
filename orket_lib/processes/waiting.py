"""Waiting for a condition, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout_s: float, poll_s: float) -> bool:
    """Ask for a condition until it holds.

    Args:
        condition: Asked at least once.
        timeout_s: No further question is asked after this many seconds.
        poll_s: Seconds between two questions.

    Returns:
        Whether it held in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True
