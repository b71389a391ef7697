"""Heat, clock and power over a whole series, from the samples that were taken anyway.

A point never mixes work and rest: the samples of each are averaged by themselves.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from orket_lib.artifacts.measurements.thermal_series import ThermalTrace
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.telemetry.samples import Sample
from orket_lib.telemetry.windows import NOT_SAMPLED
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import TELEMETRY_GAP_S

Value = float | Null
Look = tuple[float, Value, Value, Value]  # time, temperature, clock, power

NO_TEMPERATURE_SENSOR = Null("NO_TEMPERATURE_SENSOR")
_GAP = Null("TELEMETRY_GAP")
_MOST_POINTS = 600
_US = 1e6
_DIGITS = 3


def looks_at(
    samples: Sequence[Sample], gpus: WatchedGpus | None, elsewhere: bool
) -> tuple[Look, ...]:
    """Return time, temperature, clock and power of each look at what serves the model.

    Args:
        samples: Of the host.
        gpus: Those that were watched; where there are any, it is they that count.
        elsewhere: The model is on another machine, of whose heat ours says nothing.
    """
    if elsewhere:
        far = Null("REMOTE_SERVER")
        return tuple((sample.at_s, far, far, far) for sample in samples)
    if gpus and gpus.record.devices:
        return tuple(gpus.looks())
    return tuple(_of_host(samples))


def heat_around(looks: Sequence[Look], window_s: tuple[float, float]) -> tuple[Value, Value]:
    """Return the temperature at the first look of a window and at the last; nulls say why.

    The look before the window is the nearest one to a window that is shorter than the time between
    two looks. Where the looks don't reach around the window, or have a long gap, both are null.
    """
    begin = bisect_right(looks, window_s[0], key=lambda look: look[0]) - 1
    end = bisect_left(looks, window_s[1], key=lambda look: look[0])
    if begin < 0 or end == len(looks):
        unread = [heat for _, heat, *_ in looks if isinstance(heat, Null)]
        missing = unread[0] if unread and len(unread) == len(looks) else NOT_SAMPLED
        return missing, missing
    gaps = (after[0] - before[0] for before, after in pairwise(looks[begin : end + 1]))
    if max(gaps, default=0.0) > TELEMETRY_GAP_S:
        return _GAP, _GAP
    around = [heat for at_s, heat, *_ in looks[begin:] if at_s <= window_s[1]]
    known = [heat for heat in around if not isinstance(heat, Null)]
    if known:
        return known[0], known[-1]
    why = around[0] if around else NOT_SAMPLED
    return why, why


def trace_of(
    looks: Sequence[Look], windows_s: Sequence[tuple[float, float]], on_gpu: bool
) -> ThermalTrace | None:
    """Return the trace of a series; None where nothing was sampled.

    Args:
        looks: At what serves the model, in order.
        windows_s: Of each repeat.
        on_gpu: It is GPUs that were looked at.
    """
    if not looks:
        return None
    begin, end = looks[0][0], looks[-1][0]
    # Each stretch of work or rest may end with a point that is not full.
    parts = max(1, _MOST_POINTS - 2 * len(windows_s) - 1)
    width = max((end - begin) / parts, 1e-9)
    points: dict[tuple[int, int], list[Look]] = defaultdict(list)
    edges = [edge for window in windows_s for edge in window]
    for look in looks:
        stretch = bisect_right(edges, look[0])
        since = look[0] - (edges[stretch - 1] if stretch else begin)
        points[stretch, int(since / width)].append(look)
    columns = [
        _column([[look[place] for look in point] for point in points.values()])
        for place in (1, 2, 3)
    ]
    names = ("temperature_c", "clock_mhz", "power_w")
    return ThermalTrace(
        sensor="gpu" if on_gpu else "cpu",
        t_s=[
            round(statistics.fmean(look[0] for look in point), _DIGITS) for point in points.values()
        ],
        repeat=[stretch // 2 if stretch % 2 else None for stretch, _ in points],
        **{name: values for name, (values, _) in zip(names, columns, strict=True)},
        missing={name: why for name, (_, why) in zip(names, columns, strict=True) if why},
    )


def _column(points: Sequence[Sequence[Value]]) -> tuple[list[float | None], str | None]:
    """Return the mean of each point, and why some of them have none."""
    values: list[float | None] = []
    why = None
    for point in points:
        known = [value for value in point if not isinstance(value, Null)]
        values.append(round(statistics.fmean(known), _DIGITS) if known else None)
        if not known:
            why = next(value.reason for value in point if isinstance(value, Null))
    return values, why


def _of_host(samples: Sequence[Sample]) -> Iterator[Look]:
    # Before the first sample nobody counted: the power until the next one stands for it.
    power: list[Value] = [_power(*pair) for pair in pairwise(samples)] or [NOT_SAMPLED]
    for sample, watts in zip(samples, [power[0], *power], strict=False):
        heat, clock = sample.temperature_c, sample.frequency_mhz
        yield (
            sample.at_s,
            NO_TEMPERATURE_SENSOR if heat is None else heat,
            Null("NO_FREQUENCY_COUNTER") if clock is None else clock,
            watts,
        )


def _power(before: Sample, after: Sample) -> Value:
    """Return the power of the CPU packages between two samples."""
    if before.energy_uj is None or after.energy_uj is None:
        return Null("NO_ENERGY_COUNTER")
    seconds = after.at_s - before.at_s
    if after.energy_uj < before.energy_uj or seconds <= 0:
        return Null("ENERGY_COUNTER_RESET")
    return (after.energy_uj - before.energy_uj) / _US / seconds
