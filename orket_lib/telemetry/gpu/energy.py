"""Energy over an exact window of time: from a device's energy counter, else from its power.

The counter is interpolated between the samples around each edge of the window, so adjacent windows
add up to the counter's own difference. A reading that can't be trusted is null: a counter that
decreased or did not move, a gap in the samples.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orket_lib.artifacts.measurements.gpu import EnergyMethod
from orket_lib.telemetry.devices.reading import Gauges, Value
from orket_lib.telemetry.gpu.samples import GpuSample
from orket_lib.telemetry.windows import NOT_SAMPLED
from orket_lib.vocabulary.nulls import Null, all_of
from orket_lib.vocabulary.thresholds import TELEMETRY_GAP_S

_IDLE_S = 1.0  # drivers average power over a second
_RESET = Null("ENERGY_COUNTER_RESET")
_STUCK = Null("ENERGY_COUNTER_STUCK")
_GAP = Null("TELEMETRY_GAP")

Pick = Callable[[Gauges], Value]
Point = tuple[float, float]


@dataclass(frozen=True)
class Energy:
    """An energy, and how it was measured.

    Attributes:
        joules: Null with a reason.
        method: None when there is no number.
    """

    joules: Value
    method: EnergyMethod | None


def energy(
    samples: Sequence[GpuSample], devices: Sequence[int], start_s: float, end_s: float
) -> Energy:
    """Return the energy that devices used in a window, in total.

    Args:
        samples: Of the session.
        devices: Indexes into the record.
        start_s: Start of the window, in seconds since the session began.
        end_s: End of the window.
    """
    if not devices:
        return Energy(Null("NO_GPU"), None)
    parts = [_of_device(samples, device, start_s, end_s) for device in devices]
    joules = all_of((part.joules for part in parts), sum, NOT_SAMPLED)
    methods = {part.method for part in parts}
    if isinstance(joules, Null):
        return Energy(joules, None)
    return Energy(joules, methods.pop() if len(methods) == 1 else "mixed")


def idle_watts(samples: Sequence[GpuSample], devices: Sequence[int]) -> Value:
    """Return the power of idle devices with the model loaded: that of the lowest idle second.

    Null if a device was never idle for a second, or doesn't report its power or its load.
    """
    return all_of((_idle_watts(samples, device) for device in devices), sum, Null("NO_GPU"))


def _of_device(samples: Sequence[GpuSample], device: int, start_s: float, end_s: float) -> Energy:
    around = _around(samples, start_s, end_s)
    if isinstance(around, Null):
        return Energy(around, None)
    counted = _counted(_points(around, device, lambda item: item.energy_j), start_s, end_s)
    if not isinstance(counted, Null):
        return Energy(counted, "counter")
    if counted in (_RESET, _STUCK):  # an estimate from power would hide the broken counter
        return Energy(counted, None)
    powered = _powered(_points(around, device, lambda item: item.power_watts), start_s, end_s)
    return Energy(counted, None) if isinstance(powered, Null) else Energy(powered, "power")


def _around(
    samples: Sequence[GpuSample], start_s: float, end_s: float
) -> Sequence[GpuSample] | Null:
    """Return the samples from the last one before a window to the first one after it."""
    first = bisect_right(samples, start_s, key=lambda item: item.at_s) - 1
    last = bisect_left(samples, end_s, key=lambda item: item.at_s)
    if first < 0 or last >= len(samples) or end_s <= start_s:
        return NOT_SAMPLED
    around = samples[first : last + 1]
    gaps = (after.at_s - before.at_s for before, after in pairwise(around))
    return _GAP if max(gaps, default=0.0) > TELEMETRY_GAP_S else around


def _points(samples: Sequence[GpuSample], device: int, pick: Pick) -> list[Point] | Null:
    points = []
    for sample in samples:
        value = pick(sample.gauges[device])
        if isinstance(value, Null):
            return value
        points.append((sample.at_s, value))
    return points


def _counted(points: list[Point] | Null, start_s: float, end_s: float) -> Value:
    if isinstance(points, Null):
        return points
    if any(after < before for (_, before), (_, after) in pairwise(points)):
        return _RESET
    if points[-1][1] == points[0][1] and points[-1][0] - points[0][0] >= _IDLE_S:
        return _STUCK
    return _at(points, end_s) - _at(points, start_s)


def _powered(points: list[Point] | Null, start_s: float, end_s: float) -> Value:
    if isinstance(points, Null):
        return points
    inner = [point for point in points if start_s < point[0] < end_s]
    line = [(start_s, _at(points, start_s)), *inner, (end_s, _at(points, end_s))]
    return sum(
        (later - earlier) * (one + other) / 2 for (earlier, one), (later, other) in pairwise(line)
    )


def _at(points: Sequence[Point], at_s: float) -> float:
    """Return the value at a time, interpolated between its two neighbours."""
    place = min(max(1, bisect_left(points, at_s, key=lambda point: point[0])), len(points) - 1)
    (before, low), (after, high) = points[place - 1], points[place]
    return low + (high - low) * (at_s - before) / (after - before)


def _idle_watts(samples: Sequence[GpuSample], device: int) -> Value:
    lowest: float | None = None
    unread = Null("NO_IDLE_SECOND")
    rest: list[Point] = []
    for sample in samples:
        gauges = sample.gauges[device]
        power, busy = gauges.power_watts, gauges.utilization
        if isinstance(power, Null) or isinstance(busy, Null):
            unread = power if isinstance(power, Null) else Null("UTILIZATION_NOT_TOLD")
        if isinstance(power, Null) or busy != 0.0:
            rest = []
            continue
        rest.append((sample.at_s, power))
        while len(rest) > 1 and rest[-1][0] - rest[1][0] >= _IDLE_S:
            rest.pop(0)
        if rest[-1][0] - rest[0][0] >= _IDLE_S:
            mean = sum(watts for _, watts in rest) / len(rest)
            lowest = mean if lowest is None else min(lowest, mean)
    return unread if lowest is None else lowest
