"""Units of memory in bytes, CPU lists as operating systems write them, durations, and counts."""

from __future__ import annotations

import re

MIB = 1024**2
GIB = 1024**3
MIB_PER_GIB = 1024

ALL_CPUS = "all"


def cpus_of(policy: str) -> list[int]:
    """Return the CPUs that an affinity policy names (`0-2,5`); an empty list means all."""
    if policy == ALL_CPUS:
        return []
    cpus: set[int] = set()
    for part in policy.split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return sorted(cpus)


_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(text: str) -> int:
    """Return the seconds of a duration with units: `90s`, `45m`, `1h30m`.

    Raises:
        ValueError: Says what is allowed.
    """
    found = _DURATION.fullmatch(text.replace(" ", ""))
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise ValueError("must be a duration above 0 with its unit, such as 90s, 45m or 1h30m")
    return total


def duration(seconds: float) -> str:
    """Return a duration in words: `50 s`, `12 min`, `1 h 30 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: `1 task`, `20 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
