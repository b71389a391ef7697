"""Sensors read while something else runs, and what they come to."""

from __future__ import annotations

import statistics
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from orket_lib.artifacts.measurements.sidecar import SensorReadings
from orket_lib.telemetry import counters
from orket_lib.telemetry.devices.reading import Details, Device, Gauges, Value
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.sidecar import NO_GPU, NO_TEMPERATURE_SENSOR

_PERIOD_S = 0.25
_HANGS_S = 30.0  # a driver that wakes up a card takes seconds

_T = TypeVar("_T", Gauges, Details)
Combine = Callable[[Sequence[float]], float]


@dataclass
class SensorWatch:
    """Reads the GPUs; without any, the processor's temperature.

    A driver that fails or hangs ends the readings, and nothing else.
    """

    devices: Sequence[Device]
    _host_c: list[float | None] = field(default_factory=list)
    _gauges: list[tuple[Gauges, ...]] = field(default_factory=list)
    _details: list[tuple[Details, ...]] = field(default_factory=list)
    _broken: bool = False

    def look(self) -> None:
        """Read everything once."""
        if not self.devices:
            self._host_c.append(counters.host().temperature_c)
        elif not self._broken:
            try:
                self._look_at_gpus()
            except Exception:  # anything at all: it is somebody else's library
                traceback.print_exc()
                self._broken = True

    def _look_at_gpus(self) -> None:
        gauges = tuple(device.gauges() for device in self.devices)
        self._details.append(tuple(device.details() for device in self.devices))
        self._gauges.append(gauges)

    def readings(self) -> SensorReadings:
        """Return what was seen so far."""
        if not self.devices:
            return self._of_host()
        heat = [_combined(look, max, lambda item: item.temperature_c) for look in self._gauges]
        clock = [_combined(look, max, lambda item: item.clock_mhz) for look in self._gauges]
        power = [_combined(look, sum, lambda item: item.power_watts) for look in self._gauges]
        fan = [_combined(look, max, lambda item: item.fan_percent) for look in self._details]
        total = [_combined(look, sum, lambda item: item.memory_total_mib) for look in self._gauges]
        used = [_combined(look, sum, lambda item: item.memory_used_mib) for look in self._gauges]
        return SensorReadings.of(
            source=self.devices[0].info.source,
            vram_total_mb=_known(total, max),
            vram_used_mb=_known(used, max),
            thermal_start_c=_known(heat, lambda values: values[0]),
            thermal_end_c=_known(heat, lambda values: values[-1]),
            gpu_clock_mhz=_known(clock, statistics.fmean),
            power_draw_watts=_known(power, statistics.fmean),
            fan_speed_percent=_known(fan, max),
        )

    def _of_host(self) -> SensorReadings:
        heat = [value for value in self._host_c if value is not None]
        no_sensor = Null(NO_TEMPERATURE_SENSOR)
        nothing = dict.fromkeys(SensorReadings.readings(), Null(NO_GPU))
        return SensorReadings.of(
            **nothing
            | {
                "source": "sampler",
                "thermal_start_c": heat[0] if heat else no_sensor,
                "thermal_end_c": heat[-1] if heat else no_sensor,
            }
        )


@contextmanager
def watching(devices: Sequence[Device]) -> Iterator[SensorWatch]:
    """Look at the beginning, at the end, and every quarter of a second between them.

    The thread disturbs no measurement: what is measured runs in another process.
    """
    watch, over = SensorWatch(devices), threading.Event()
    watch.look()

    def look_on() -> None:
        while not over.wait(_PERIOD_S):
            watch.look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join(_HANGS_S)
        if thread.is_alive():
            print(f"the sensors have not answered for {_HANGS_S:g} s: not read on", file=sys.stderr)  # noqa: T201
        else:
            watch.look()


def _combined(look: Sequence[_T], combine: Combine, pick: Callable[[_T], Value]) -> Value:
    """Return one reading of all GPUs as one number; null where one of them has none."""
    values = [pick(item) for item in look]
    unread = next((value for value in values if isinstance(value, Null)), None)
    return unread or combine([value for value in values if not isinstance(value, Null)])


def _known(values: Sequence[Value], combine: Combine) -> Value:
    """Return what the looks that had a reading come to, else why none had."""
    known = [value for value in values if not isinstance(value, Null)]
    if known:
        return combine(known)
    return next((value for value in values if isinstance(value, Null)), Null("NOT_SAMPLED"))
