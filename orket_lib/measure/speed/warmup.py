"""Warm-up until generations are steady; a fixed number is too small for small models (T13).

The first generations of a process are slow (page faults, clocks, caches). Warm-up continues until
the last three show no trend and little spread, at least `required` and at most `CAP` times, and
never beyond its time limit: on a busy machine it ends unsteady, with a note (T29). All warm-up
generations are recorded, none counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from orket_lib.artifacts.measurements.readiness import Warmup

CAP = 20
_WINDOW = 3
_MAX_SPREAD = 0.10  # (max - min) / median of the window
_MAX_TREND = 0.02  # the same for a monotone window


def warm_up(
    measure_once: Callable[[], float],
    required: int,
    limit_s: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
) -> Warmup:
    """Call `measure_once` until its results are steady.

    Args:
        measure_once: Generates once, and returns the seconds.
        required: Minimum number of calls, if the time allows.
        limit_s: No call is started that would probably end after this time.
        clock: Returns the time in seconds.
    """
    begun_s, longest_s = clock(), 0.0
    seconds: list[float] = []
    note = None
    while note is None:
        before_s = clock()
        seconds.append(measure_once())
        longest_s = max(longest_s, clock() - before_s)
        if len(seconds) >= max(required, _WINDOW) and is_steady(seconds):
            break
        if len(seconds) >= max(CAP, required):
            note = f"it ended after {len(seconds)} generations, {_state(seconds)}"
        elif clock() - begun_s + longest_s > limit_s:
            note = f"the time was up after {len(seconds)} generations, {_state(seconds)}"
    return Warmup(
        decode_seconds=tuple(seconds),
        required=required,
        cap=max(CAP, required),
        steady=is_steady(seconds),
        note=note,
    )


def _state(seconds: Sequence[float]) -> str:
    if len(seconds) < _WINDOW:
        return "too few to tell whether they are steady"
    return "steady" if is_steady(seconds) else "unsteady"


def is_steady(seconds: Sequence[float]) -> bool:
    """Return whether the last three values show no trend and little spread."""
    window = seconds[-_WINDOW:]
    if len(window) < _WINDOW:
        return False
    spread = max(window) - min(window)
    steps = [after - before for before, after in pairwise(window)]
    monotone = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return spread <= (_MAX_TREND if monotone else _MAX_SPREAD) * statistics.median(window)
