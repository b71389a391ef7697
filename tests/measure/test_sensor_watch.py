from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from orket_lib.measure import sensor_watch
from orket_lib.measure.sensor_watch import SensorWatch, watching
from orket_lib.telemetry import counters
from orket_lib.telemetry.accelerators import GpuReading
from orket_lib.vocabulary.sidecar import Source

COLD = GpuReading(8000.0, 100.0, 40.0, 1000.0, 50.0, None)
WARM = GpuReading(8000.0, 5000.0, 70.0, 2000.0, 150.0, None)


@dataclass
class Gpus:
    readings: list[GpuReading]
    source: Source = "nvml"

    def read(self) -> GpuReading:
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]


def test_gpus_give_peaks_means_and_the_way_from_start_to_end() -> None:
    watch = SensorWatch(Gpus([COLD, WARM, replace(WARM, vram_used_mb=10.0)]))
    for _ in range(3):
        watch.look()
    seen = watch.readings()
    assert (seen.vram_total_mb, seen.vram_used_mb) == (8000.0, 5000.0)
    assert (seen.thermal_start_c, seen.thermal_end_c) == (40.0, 70.0)
    assert seen.gpu_clock_mhz == pytest.approx(5000 / 3)
    assert seen.power_draw_watts == pytest.approx(350 / 3)
    assert seen.null_reasons == {"fan_speed_percent": "NOT_SUPPORTED"}
    assert seen.source == "nvml"


def test_without_a_gpu_the_host_s_temperature_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    temperatures = iter([41.0, None, 52.5])
    host = counters.host()
    monkeypatch.setattr(
        sensor_watch.counters, "host", lambda: replace(host, temperature_c=next(temperatures))
    )
    watch = SensorWatch(None)
    for _ in range(3):
        watch.look()
    seen = watch.readings()
    assert (seen.thermal_start_c, seen.thermal_end_c, seen.source) == (41.0, 52.5, "sampler")
    assert seen.null_reasons == dict.fromkeys(
        ("vram_total_mb", "vram_used_mb", "gpu_clock_mhz", "power_draw_watts", "fan_speed_percent"),
        "NO_GPU",
    )


def test_a_machine_without_a_sensor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    host = replace(counters.host(), temperature_c=None)
    monkeypatch.setattr(sensor_watch.counters, "host", lambda: host)
    with watching(None) as watch:
        pass
    assert watch.readings().null_reasons["thermal_end_c"] == "NO_TEMPERATURE_SENSOR"


def test_the_last_look_comes_after_the_end() -> None:
    gpus = Gpus([COLD, WARM])
    with watching(gpus) as watch:
        gpus.readings = [replace(WARM, temperature_c=99.0)]
    assert watch.readings().thermal_end_c == 99.0
