"""CPU lists as operating systems write them: `0-3,6`."""

from __future__ import annotations

ALL = "all"


def cpus_of(policy: str) -> list[int]:
    """Return the CPUs that an affinity policy names (`0-2,5`); an empty list means all."""
    if policy == ALL:
        return []
    cpus: set[int] = set()
    for part in policy.split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return sorted(cpus)
