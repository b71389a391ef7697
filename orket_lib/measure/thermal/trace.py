"""Temperature, clock and power over a series, from its samples.

A point never mixes work and rest: their samples are averaged separately.
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
from orket_lib.vocabulary.nulls import Null, any_of
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
    """Return time, temperature, clock and power at each sample of the device with the model.

    Args:
        samples: Of the host.
        gpus: The sampled GPUs, which count if there are any.
        elsewhere: Whether the model is on another machine, which has no samples.
    """
    if elsewhere:
        far = Null("REMOTE_SERVER")
        return tuple((sample.at_s, far, far, far) for sample in samples)
    if gpus and gpus.record.devices:
        return tuple(gpus.looks())
    return tuple(_of_host(samples))


def heat_around(looks: Sequence[Look], window_s: tuple[float, float]) -> tuple[Value, Value]:
    """Return the temperatures at the first and the last sample of a window.

    The sample before the window counts as well, because a window may be shorter than the sampling
    interval. If the samples don't enclose the window, or have a long gap, both are null.
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
    return (
        any_of(around, lambda heat: heat[0], NOT_SAMPLED),
        any_of(around, lambda heat: heat[-1], NOT_SAMPLED),
    )


def trace_of(
    looks: Sequence[Look], windows_s: Sequence[tuple[float, float]], on_gpu: bool
) -> ThermalTrace | None:
    """Return the trace of a series; None without samples.

    Args:
        looks: Samples of the device with the model, in order.
        windows_s: The window of each repeat.
        on_gpu: Whether the samples are those of GPUs.
    """
    if not looks:
        return None
    begin, end = looks[0][0], looks[-1][0]
    # Each stretch of work or rest may end with a partial point.
    parts = max(1, _MOST_POINTS - 2 * len(windows_s) - 1)
    width = max((end - begin) / parts, 1e-9)
    points: dict[tuple[int, int], list[Look]] = defaultdict(list)
    edges = [edge for window in windows_s for edge in window]
    for look in looks:
        stretch = bisect_right(edges, look[0])
        since = look[0] - (edges[stretch - 1] if stretch else begin)
        points[stretch, int(since / width)].append(look)
    columns = [
        _column([[look[column] for look in point] for point in points.values()])
        for column in (1, 2, 3)
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
    """Return the mean of each point, and why some points have none."""
    values: list[float | None] = []
    why = None
    for point in points:
        mean = any_of(point, statistics.fmean, NOT_SAMPLED)
        values.append(None if isinstance(mean, Null) else round(mean, _DIGITS))
        why = mean.reason if isinstance(mean, Null) else why
    return values, why


def _of_host(samples: Sequence[Sample]) -> Iterator[Look]:
    # The power at a sample is that since the one before; for the first, that until the next.
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
