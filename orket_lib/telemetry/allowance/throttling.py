"""How often a CPU quota has stopped this process: counters of its control groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orket_lib.telemetry.allowance.cgroups import ROOT, Group, groups

_FILE = "cpu.stat"


@dataclass(frozen=True)
class Throttled:
    """What a quota has done since the counter was made.

    Attributes:
        quota_periods: Periods that a quota was enforced in.
        throttled_periods: Those in which the quota was used up and the processes were stopped.
        throttled_s: For how long, summed over CPUs.
    """

    quota_periods: int = 0
    throttled_periods: int = 0
    throttled_s: float = 0.0


class ThrottleCounter:
    """Counts throttled periods over all groups that limit this process.

    At each look, the group that was throttled most counts: a period in which two nested groups
    stop the process is one period.

    Args:
        root: Root of the file system.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._groups = groups("cpu", root)
        self._last = {group: _read(group) for group in self._groups}
        self._total = Throttled()

    def look(self) -> Throttled | None:
        """Return the counts so far; None if the system doesn't count."""
        grown = []
        for group in self._groups:
            before, now = self._last[group], _read(group)
            self._last[group] = now
            if before is not None and now is not None:
                grown.append(_less(now, before))
        if not grown:
            return None
        most = max(grown, key=lambda item: (item.throttled_periods, item.quota_periods))
        self._total = Throttled(
            self._total.quota_periods + most.quota_periods,
            self._total.throttled_periods + most.throttled_periods,
            self._total.throttled_s + most.throttled_s,
        )
        return self._total


def _read(group: Group) -> Throttled | None:
    """Return a group's own counters, since it was made; None if it has none."""
    counts = group.table(_FILE)
    if "nr_periods" not in counts or "nr_throttled" not in counts:
        return None
    # Nanoseconds in v1, microseconds in v2.
    seconds = counts.get("throttled_usec", 0) / 1e6 + counts.get("throttled_time", 0) / 1e9
    return Throttled(counts["nr_periods"], counts["nr_throttled"], seconds)


def _less(now: Throttled, before: Throttled) -> Throttled:
    """Return the growth of counters; none if they were reset."""
    return Throttled(
        max(0, now.quota_periods - before.quota_periods),
        max(0, now.throttled_periods - before.throttled_periods),
        max(0.0, now.throttled_s - before.throttled_s),
    )
