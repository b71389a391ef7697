"""Reads sensors while a command runs, and summarizes them."""

from __future__ import annotations

import statistics
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from orket_lib.artifacts.measurements.sidecar import SensorReadings
from orket_lib.artifacts.measurements.sidecar_fields import NO_GPU, NO_TEMPERATURE_SENSOR
from orket_lib.telemetry import counters
from orket_lib.telemetry.devices.reading import Details, Device, Gauges, Value
from orket_lib.telemetry.windows import NOT_SAMPLED
from orket_lib.vocabulary.nulls import Null, all_of, any_of

_PERIOD_S = 0.25
_HANGS_S = 30.0  # a driver that wakes up a card takes seconds

Combine = Callable[[Sequence[float]], float]


@dataclass
class SensorWatch:
    """Reads the GPUs; without any, the temperature of the CPU.

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
            except Exception:  # a driver library may raise anything
                traceback.print_exc()
                self._broken = True

    def _look_at_gpus(self) -> None:
        gauges = tuple(device.gauges() for device in self.devices)
        self._details.append(tuple(device.details() for device in self.devices))
        self._gauges.append(gauges)

    def readings(self) -> SensorReadings:
        """Return the summary of all readings so far."""
        if not self.devices:
            return self._of_host()
        heat = _of_all(self._gauges, max, "temperature_c")
        power = _of_all(self._gauges, sum, "power_watts")
        return SensorReadings.of(
            source=self.devices[0].info.source,
            vram_total_mb=_over_time(_of_all(self._gauges, sum, "memory_total_mib"), max),
            vram_used_mb=_over_time(_of_all(self._gauges, sum, "memory_used_mib"), max),
            thermal_start_c=_over_time(heat, lambda values: values[0]),
            thermal_end_c=_over_time(heat, lambda values: values[-1]),
            gpu_clock_mhz=_over_time(_of_all(self._gauges, max, "clock_mhz"), statistics.fmean),
            power_draw_watts=_over_time(power, statistics.fmean),
            fan_speed_percent=_over_time(_of_all(self._details, max, "fan_percent"), max),
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
    """Read at the beginning, at the end, and every quarter of a second between them.

    The thread doesn't disturb the measurement, which runs in another process.
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
            hint = f"the sensors did not answer for {_HANGS_S:g} s: not read again"
            print(hint, file=sys.stderr)  # noqa: T201
        else:
            watch.look()


def _of_all(
    looks: Sequence[Sequence[Gauges | Details]], combine: Combine, name: str
) -> list[Value]:
    """Return one reading of all GPUs at each time; null if one of them has none."""
    return [all_of((getattr(item, name) for item in look), combine, NOT_SAMPLED) for look in looks]


def _over_time(values: Sequence[Value], combine: Combine) -> Value:
    """Return one reading from the times that have one."""
    return any_of(values, combine, NOT_SAMPLED)
