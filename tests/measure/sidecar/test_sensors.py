from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from gpu_builders import HandmadeGpu, details, gauges, gpu

from orket_lib.artifacts.measurements.sidecar import SensorReadings
from orket_lib.measure.sidecar import sensors as sensor_watch
from orket_lib.measure.sidecar.sensors import SensorWatch, watching
from orket_lib.telemetry import counters
from orket_lib.vocabulary.nulls import Null

COLD = gauges(
    memory_total_mib=8000.0,
    memory_used_mib=100.0,
    temperature_c=40.0,
    clock_mhz=1000.0,
    power_watts=50.0,
)
WARM = replace(
    COLD, memory_used_mib=5000.0, temperature_c=70.0, clock_mhz=2000.0, power_watts=150.0
)


def looked(*gpus: HandmadeGpu, times: int) -> SensorReadings:
    watch = SensorWatch(gpus)
    for _ in range(times):
        watch.look()
    return watch.readings()


def test_a_gpu_gives_peaks_means_and_the_way_from_start_to_end() -> None:
    seen = looked(gpu(says=[COLD, WARM, replace(WARM, memory_used_mib=10.0)]), times=3)
    assert (seen.vram_total_mb, seen.vram_used_mb) == (8000.0, 5000.0)
    assert (seen.thermal_start_c, seen.thermal_end_c) == (40.0, 70.0)
    assert seen.gpu_clock_mhz == pytest.approx(5000 / 3)
    assert seen.power_draw_watts == pytest.approx(350 / 3)
    assert seen.null_reasons == {"fan_speed_percent": "NOT_SUPPORTED"}
    assert seen.source == "nvml"


def test_of_several_gpus_memory_and_power_are_sums_and_the_rest_is_the_most() -> None:
    fans = (details(fan_percent=30.0), details(fan_percent=60.0))
    seen = looked(gpu(0, [COLD], tells=fans[0]), gpu(1, [WARM], tells=fans[1]), times=1)
    assert (seen.vram_total_mb, seen.vram_used_mb) == (16000.0, 5100.0)
    assert (seen.thermal_end_c, seen.gpu_clock_mhz, seen.power_draw_watts) == (70.0, 2000.0, 200.0)
    assert seen.fan_speed_percent == 60.0


def test_a_sum_with_a_missing_part_is_missing_and_what_a_lost_card_said_is_kept() -> None:
    silent = replace(WARM, power_watts=Null("GPU_LOST"), temperature_c=Null("GPU_LOST"))
    seen = looked(gpu(0, [COLD]), gpu(1, [WARM, silent]), times=2)
    assert (seen.power_draw_watts, seen.thermal_end_c) == (200.0, 70.0)
    gone = looked(gpu(0, [COLD]), gpu(1, [silent]), times=2)
    assert gone.null_reasons["power_draw_watts"] == "GPU_LOST"


def test_without_a_gpu_the_host_s_temperature_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    temperatures = iter([41.0, None, 52.5])
    host = counters.host()
    monkeypatch.setattr(counters, "host", lambda: replace(host, temperature_c=next(temperatures)))
    watch = SensorWatch(())
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
    monkeypatch.setattr(counters, "host", lambda: host)
    with watching(()) as watch:
        pass
    assert watch.readings().null_reasons["thermal_end_c"] == "NO_TEMPERATURE_SENSOR"


def test_the_last_look_comes_after_the_end() -> None:
    card = gpu(says=[COLD, WARM])
    with watching([card]) as watch:
        card.says = [replace(WARM, temperature_c=99.0)]
    assert watch.readings().thermal_end_c == 99.0


def test_a_driver_that_fails_in_its_own_way_ends_the_looking_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise RuntimeError("not a word of this library")

    card = gpu(says=[COLD])
    with watching([card]) as watch:
        card.details = fails  # type: ignore[method-assign,assignment]
    seen = watch.readings()
    assert (seen.thermal_start_c, seen.thermal_end_c, seen.source) == (40.0, 40.0, "nvml")
    assert "not a word of this library" in capsys.readouterr().err
    with watching([card]) as silent:
        pass
    assert set(silent.readings().null_reasons.values()) == {"NOT_SAMPLED"}


def test_a_driver_that_hangs_is_said_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sensor_watch, "_PERIOD_S", 0.01)
    monkeypatch.setattr(sensor_watch, "_HANGS_S", 0.1)
    let_go, reached = threading.Event(), threading.Event()
    with watching([gpu(says=[COLD])]) as watch:

        def hang() -> None:
            reached.set()
            let_go.wait(10)

        monkeypatch.setattr(watch, "look", hang)
        assert reached.wait(10)
    assert "the sensors did not answer for 0.1 s: not read again" in capfd.readouterr().err
    assert watch.readings().thermal_end_c == 40.0
    let_go.set()
