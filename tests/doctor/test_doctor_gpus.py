"""The doctor on what the GPUs of a machine don't tell, and on why there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from nvml_replay import load_trace, nvml_of

from orket_lib.doctor.machine import look_at_machine
from orket_lib.doctor.missing_readings import missing_of_gpus, missing_with
from orket_lib.telemetry.devices.opening import Devices, open_devices


def readings(trace: str) -> dict[str, str]:
    with nvml_of(load_trace(trace)), open_devices("nvidia") as found:
        return {item.reading: item.reason for item in missing_of_gpus(found)}


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ("two_cards", {"GPU 0 fan_percent": "NOT_SUPPORTED", "GPU 1 fan_percent": "NOT_SUPPORTED"}),
        (
            "no_processes",
            {"GPU 0 fan_percent": "NOT_SUPPORTED", "GPU 0 processes": "NO_PERMISSION"},
        ),
        (
            "no_energy_counter",
            {"GPU 0 fan_percent": "NOT_SUPPORTED", "GPU 0 energy_j": "NOT_SUPPORTED"},
        ),
        ("desktop", {}),
    ],
)
def test_each_gpu_s_nulls_are_listed_with_their_reasons(
    trace: str, expected: dict[str, str]
) -> None:
    assert readings(trace) == expected


def test_a_machine_without_a_gpu_says_why_for_each_vendor(tmp_path: Path) -> None:
    found = Devices(absent={"nvidia": "NO_DRIVER", "amd": "NO_DEVICE"})
    listed = list(missing_of_gpus(found))
    assert [(item.reading, item.reason) for item in listed] == [
        ("NVIDIA GPUs", "NO_DRIVER"),
        ("AMD GPUs", "NO_DEVICE"),
    ]
    assert all(item.meaning for item in listed)


def test_the_machine_is_shown_with_its_gpus(tmp_path: Path) -> None:
    with nvml_of(load_trace("two_cards")):
        gpus = look_at_machine(tmp_path).gpus
    assert [(gpu.index, gpu.total_mib, gpu.free_mib) for gpu in gpus] == [
        (0, 81920.0, 71680.0),
        (1, 81920.0, 76800.0),
    ]
    with nvml_of(load_trace("unified")):
        (shared,) = look_at_machine(tmp_path).gpus
    assert (shared.name, shared.total_mib) == ("NVIDIA GB10", None)


@pytest.mark.parametrize(
    ("provider", "remote", "has_gpu", "vram"),
    [
        ("embedded", False, True, "NO_GPU_USED"),
        ("ollama", False, False, "NO_GPU_USED"),
        ("llama_server", False, False, "NO_GPU"),
        ("llama_server", True, False, "REMOTE_SERVER"),
        ("llama_server", False, True, None),
    ],
)
def test_what_rows_will_lack_of_a_gpu(
    provider: str, remote: bool, has_gpu: bool, vram: str | None
) -> None:
    listed = {it.reading: it.reason for it in missing_with(provider, True, remote, has_gpu)}
    assert listed.get("peak_vram_mib") == vram
    assert ("joules_per_output_token" in listed) is (vram is not None)
