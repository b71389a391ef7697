"""Sensors read while something else runs, and what they come to."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orket_lib.artifacts.sidecar import SensorReadings
from orket_lib.telemetry import counters
from orket_lib.telemetry.accelerators import GpuReading, Gpus
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.sidecar import NO_GPU, NO_TEMPERATURE_SENSOR

_PERIOD_S = 0.25


@dataclass
class SensorWatch:
    """Reads the host's temperature and the GPUs, where there are any."""

    gpus: Gpus | None
    _host_c: list[float | None] = field(default_factory=list)
    _gpu: list[GpuReading] = field(default_factory=list)

    def look(self) -> None:
        """Read everything once."""
        self._host_c.append(counters.host().temperature_c)
        if self.gpus:
            self._gpu.append(self.gpus.read())

    def readings(self) -> SensorReadings:
        """Return what was seen so far."""
        if self.gpus is None:
            thermal, unread = self._host_c, Null(NO_GPU)
        else:
            thermal, unread = [item.temperature_c for item in self._gpu], Null("NOT_SUPPORTED")
        seen = _known(thermal)
        clocks = _known(item.clock_mhz for item in self._gpu)
        powers = _known(item.power_watts for item in self._gpu)
        no_sensor = Null(NO_TEMPERATURE_SENSOR)
        return SensorReadings.of(
            source=self.gpus.source if self.gpus else "sampler",
            vram_total_mb=_most((item.vram_total_mb for item in self._gpu), unread),
            vram_used_mb=_most((item.vram_used_mb for item in self._gpu), unread),
            thermal_start_c=seen[0] if seen else no_sensor,
            thermal_end_c=seen[-1] if seen else no_sensor,
            gpu_clock_mhz=statistics.fmean(clocks) if clocks else unread,
            power_draw_watts=statistics.fmean(powers) if powers else unread,
            fan_speed_percent=_most((item.fan_percent for item in self._gpu), unread),
        )


@contextmanager
def watching(gpus: Gpus | None) -> Iterator[SensorWatch]:
    """Look at the beginning, at the end, and every quarter of a second between them.

    The thread disturbs no measurement: what is measured runs in another process.
    """
    watch, over = SensorWatch(gpus), threading.Event()
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
        thread.join()
        watch.look()


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _most(values: Iterable[float | None], unread: Null) -> float | Null:
    known = _known(values)
    return max(known) if known else unread
