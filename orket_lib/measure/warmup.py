"""Warm-up until steady: a fixed number of warm-ups is too weak for small models (trap T13).

The first generations of a process are slow (page faults, clocks, caches). Warm-up goes on until the
last three show no trend and little spread, at least `required` and at most `CAP` times. All of them
are recorded, none of them counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise

from orket_lib.artifacts.run_report import Warmup

CAP = 20
_WINDOW = 3
_MAX_SPREAD = 0.10  # (max - min) / median of the window
_MAX_TREND = 0.02  # a monotone window may still fall or rise by so much of its median


def warm_up(measure_once: Callable[[], float], required: int) -> Warmup:
    """Call `measure_once` (returns seconds) until it is steady, and return what was seen."""
    seconds: list[float] = []
    while len(seconds) < max(required, _WINDOW) or (
        not is_steady(seconds) and len(seconds) < max(CAP, required)
    ):
        seconds.append(measure_once())
    return Warmup(
        decode_seconds=tuple(seconds),
        required=required,
        cap=max(CAP, required),
        steady=is_steady(seconds),
    )


def is_steady(seconds: Sequence[float]) -> bool:
    """Tell whether the last three values show no trend and little spread."""
    window = seconds[-_WINDOW:]
    if len(window) < _WINDOW:
        return False
    spread = max(window) - min(window)
    steps = [after - before for before, after in pairwise(window)]
    monotone = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return spread <= (_MAX_TREND if monotone else _MAX_SPREAD) * statistics.median(window)
