from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from orket_lib.telemetry.accelerators import NvidiaGpus, amd_gpus, open_gpus


def card(drm: Path, name: str, **files: str) -> None:
    hwmon = drm / name / "device" / "hwmon" / "hwmon3"
    hwmon.mkdir(parents=True)
    for file, text in files.items():
        folder = hwmon.parents[1] if file.startswith("mem_info") else hwmon
        (folder / file).write_text(text, encoding="ascii")


def test_amd_cards_are_read_from_the_kernel(tmp_path: Path) -> None:
    sizes = {"mem_info_vram_total": f"{8 << 30}\n", "mem_info_vram_used": f"{1 << 30}\n"}
    hot = {"temp1_input": "61000", "power1_average": "75500000", "pwm1": "51"}
    card(tmp_path, "card0", **sizes, **hot, freq1_input="2100000000")
    card(tmp_path, "card1", **sizes, temp1_input="40000", power1_average="1000000")
    card(tmp_path, "card2")  # of another driver

    found = amd_gpus(tmp_path)

    assert found is not None
    seen = found.read()
    assert (seen.vram_total_mb, seen.vram_used_mb) == (16384.0, 2048.0)
    assert (seen.temperature_c, seen.power_watts) == (61.0, pytest.approx(76.5))
    assert (seen.clock_mhz, seen.fan_percent) == (pytest.approx(2100), pytest.approx(20))


def test_what_a_card_does_not_say_is_none(tmp_path: Path) -> None:
    card(tmp_path, "card0", mem_info_vram_total="0", temp1_input="broken")
    found = amd_gpus(tmp_path)
    assert found is not None
    seen = found.read()
    assert (seen.temperature_c, seen.power_watts, seen.vram_used_mb) == (None, None, None)


def test_no_card_is_no_gpu(tmp_path: Path) -> None:
    card(tmp_path, "card0")
    assert amd_gpus(tmp_path) is None
    assert amd_gpus(tmp_path / "missing") is None


def test_nvidia_readings_are_sums_and_maxima_of_what_is_supported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unsupported(*_: Any) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    memory = SimpleNamespace(total=16 << 30, used=4 << 30)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda _: memory)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTemperature", lambda handle, _: 40 + handle)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetClockInfo", lambda handle, _: 1000 * (1 + handle))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", lambda _: 50_000)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetFanSpeed", unsupported)

    seen = NvidiaGpus([0, 1]).read()

    assert (seen.vram_total_mb, seen.vram_used_mb) == (32768.0, 8192.0)
    assert (seen.temperature_c, seen.clock_mhz, seen.power_watts) == (41, 2000, 100.0)
    assert seen.fan_percent is None


def test_a_machine_without_a_driver_is_an_ordinary_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    with open_gpus("nvidia") as gpus:
        assert gpus is None


def test_a_cpu_profile_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: pytest.fail("it looked for a GPU"))
    with open_gpus("cpu") as gpus:
        assert gpus is None


def test_each_amd_card_has_a_memory_of_its_own(tmp_path: Path) -> None:
    card(tmp_path, "card0", mem_info_vram_total=f"{8 << 30}", mem_info_vram_used=f"{3 << 30}")
    card(tmp_path, "card1", mem_info_vram_total=f"{16 << 30}")
    found = amd_gpus(tmp_path)
    assert found is not None
    assert [(m.index, m.name, m.total_mib, m.free_mib) for m in found.memories()] == [
        (0, "AMD card0", 8192.0, 5120.0),
        (1, "AMD card1", 16384.0, None),
    ]


def test_an_nvidia_gpu_that_shares_the_main_memory_tells_no_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def memory(handle: int) -> SimpleNamespace:
        if handle:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(total=16 << 30, used=1 << 30, free=15 << 30)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", memory)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: f"GPU {handle}")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda handle: f"GPU-{handle}")

    one, two = NvidiaGpus([0, 1]).memories()

    assert (one.index, one.name, one.uuid) == (0, "GPU 0", "GPU-0")
    assert (one.total_mib, one.free_mib) == (16384.0, 15360.0)
    assert (two.index, two.uuid, two.total_mib, two.free_mib) == (1, "GPU-1", None, None)
