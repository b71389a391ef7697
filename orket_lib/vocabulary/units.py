"""Units of memory in bytes, and CPU lists as operating systems write them: `0-3,6`."""

from __future__ import annotations

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
