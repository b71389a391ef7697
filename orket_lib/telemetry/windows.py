"""What the host did in a window of time, computed from recorded samples.

CPU counters tick in hundredths of a second, so a share over a few milliseconds would be noise: a
window is widened to whole sampling intervals and to at least one second. For a shorter run, the
result is that of the second around it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB


class _Timed(Protocol):
    """Any sample with a time."""

    @property
    def at_s(self) -> float:
        """Seconds since the session began."""


_T = TypeVar("_T", bound=_Timed)

LEAST_S = 1.0
NOT_SAMPLED = Null("NOT_SAMPLED")


def window(samples: Sequence[_T], start_s: float, end_s: float) -> Sequence[_T]:
    """Return the samples around `[start_s, end_s]`, over at least `LEAST_S` if there are enough.

    Empty if the samples don't enclose the window: the last sample of a dead sampler says nothing
    about a later time, however short the gap (T36).
    """
    if len(samples) < 2 or samples[0].at_s > start_s or samples[-1].at_s < end_s:
        return ()
    first = max(0, bisect_right(samples, start_s, key=_time) - 1)
    last = min(len(samples) - 1, bisect_left(samples, end_s, key=_time))
    while samples[last].at_s - samples[first].at_s < LEAST_S:
        if first == 0 and last == len(samples) - 1:
            break
        first, last = max(0, first - 1), min(len(samples) - 1, last + 1)
    return samples[first : last + 1]


def _time(sample: _Timed) -> float:
    return sample.at_s


def foreign_cpu_ratio(samples: Sequence[Sample], cores: int) -> float | Null:
    """Return the share of all cores used by processes other than ours and the server's (T11)."""
    if len(samples) < 2:
        return NOT_SAMPLED
    first, last = samples[0], samples[-1]
    busy = last.busy_s - first.busy_s
    ours = (last.own_s - first.own_s) + (last.server_s - first.server_s)
    return max(0.0, busy - ours) / (cores * (last.at_s - first.at_s))


def steal_ratio(samples: Sequence[Sample], cores: int) -> float | Null:
    """Return the share of all cores that the hypervisor gave to other guests."""
    if len(samples) < 2:
        return NOT_SAMPLED
    first, last = samples[0], samples[-1]
    if first.steal_s is None or last.steal_s is None:
        return Null("NO_STEAL_COUNTER")
    return max(0.0, last.steal_s - first.steal_s) / (cores * (last.at_s - first.at_s))


def throttled_ratio(samples: Sequence[Sample]) -> float | Null:
    """Return the share of the periods of a CPU quota in which it stopped us (T33)."""
    if len(samples) < 2:
        return NOT_SAMPLED
    periods, throttled = (_growth(samples, name) for name in ("quota_periods", "throttled_periods"))
    if periods is None or throttled is None:
        return Null("NO_THROTTLE_COUNTER")
    # Without a quota there are no periods, and nothing was stopped.
    return min(1.0, throttled / periods) if periods else 0.0


def throttled_s(samples: Sequence[Sample]) -> float:
    """Return for how long a CPU quota stopped us, summed over CPUs."""
    return _growth(samples, "throttled_s") or 0.0


def _growth(samples: Sequence[Sample], name: str) -> float | None:
    first, last = getattr(samples[0], name), getattr(samples[-1], name)
    return None if first is None or last is None else float(last - first)


def foreign_load(samples: Sequence[Sample], around: Sequence[Sample]) -> float | Null:
    """Return the 1-minute load average at a window's end, minus the cores that we kept busy.

    Args:
        samples: The whole session: our own share is computed over the minute that the average
            covers, as far as it was sampled.
        around: The samples of the window.
    """
    if len(around) < 2:
        return NOT_SAMPLED
    last = around[-1]
    if last.load_1min is None:
        return Null("NO_LOAD_AVERAGE")
    first = samples[bisect_left(samples, last.at_s - 60, key=_time)]
    first = around[0] if first is last else first  # a gap of more than a minute
    ours = (last.own_s - first.own_s) + (last.server_s - first.server_s)
    return max(0.0, last.load_1min - ours / (last.at_s - first.at_s))


def swapped_mib(samples: Sequence[Sample]) -> float | Null:
    """Return how much was swapped in and out, in MiB."""
    if len(samples) < 2:
        return NOT_SAMPLED
    first, last = samples[0].swapped, samples[-1].swapped
    return Null("NO_SWAP_COUNTER") if first is None or last is None else (last - first) / MIB


def longest_gap_s(samples: Sequence[_Timed]) -> float | Null:
    """Return the longest time between two samples, in seconds."""
    gaps = [after.at_s - before.at_s for before, after in pairwise(samples)]
    return max(gaps) if gaps else NOT_SAMPLED


def culprit(samples: Sequence[Sample]) -> str:
    """Return the foreign process that used the most CPU time in a window, as evidence."""
    used: dict[tuple[int, str], float] = defaultdict(float)
    for sample in samples[1:]:
        if sample.top_pid is not None and sample.top_s is not None:
            used[sample.top_pid, sample.top_name or "?"] += sample.top_s
    if not used:
        return "no single process dominates"
    (pid, name), seconds = max(used.items(), key=lambda item: item[1])
    return f"mostly {name} (pid {pid}, {seconds:.2f} s of CPU)"
