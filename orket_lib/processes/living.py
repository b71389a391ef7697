"""Whether a process that was seen before still lives."""

from __future__ import annotations

import psutil


def is_alive(pid: int, started_s: float, exact_to_s: float = 0.1) -> bool:
    """Tell whether a process lives; another one may have its number by now.

    Args:
        pid: Its number.
        started_s: When it was started, as `psutil` says it.
        exact_to_s: What two looks at that may differ by; a clock that is set moves it.
    """
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started_s) < exact_to_s
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
