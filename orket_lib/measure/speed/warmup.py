"""Warm-up until steady: a fixed number of warm-ups is too weak for small models (trap T13).

The first generations of a process are slow (page faults, clocks, caches). Warm-up goes on until the
last three show no trend and little spread, at least `required` and at most `CAP` times, and never
beyond its time: a busy machine isn't waited for, and what was not steady says so (T29). All of them
are recorded, none of them counts.
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
_MAX_TREND = 0.02  # a monotone window may still fall or rise by so much of its median


def warm_up(
    measure_once: Callable[[], float],
    required: int,
    limit_s: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
) -> Warmup:
    """Call `measure_once` (returns seconds) until it is steady, and return what was seen.

    Args:
        measure_once: Generates something.
        required: How often at least, where the time allows.
        limit_s: None is begun that would probably end later.
        clock: Tells the time, in seconds.
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
    """Tell whether the last three values show no trend and little spread."""
    window = seconds[-_WINDOW:]
    if len(window) < _WINDOW:
        return False
    spread = max(window) - min(window)
    steps = [after - before for before, after in pairwise(window)]
    monotone = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return spread <= (_MAX_TREND if monotone else _MAX_SPREAD) * statistics.median(window)
