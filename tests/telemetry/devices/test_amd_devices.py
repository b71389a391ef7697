"""AMD's GPUs, by the kernel's files and by AMD's own library; both are synthetic here."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from amd_tree import CONSUMER, RDNA, SENSORS, add_card, add_fdinfo, add_kfd, drm_client, gpu_metrics

from orket_lib.telemetry.devices.amd_smi import AmdSmiDevice, find_amd_smi
from orket_lib.telemetry.devices.amd_sysfs import AmdSysfsDevice, find_amd_cards
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.devices.reading import DeviceProcess
from orket_lib.vocabulary.nulls import Null

UNTOLD = Null("NOT_SUPPORTED")
MIB = 1024**2


def cards(root: Path) -> tuple[AmdSysfsDevice, ...]:
    found = find_amd_cards(root, root / "proc")
    assert not isinstance(found, Null)
    return found


def test_a_card_is_read_from_the_kernel_in_our_units(tmp_path: Path) -> None:
    add_card(tmp_path, metrics=gpu_metrics(1, 3, 0))
    (card,) = cards(tmp_path)
    assert (card.info.uuid, card.info.name) == ("GPU-c0ffee0123456789", "AMD Radeon Pro W7900")
    seen, slow = card.gauges(), card.details()
    assert (seen.memory_total_mib, seen.memory_used_mib) == (16384.0, 4096.0)
    assert (seen.memory_free_mib, seen.utilization) == (12288.0, 0.37)
    assert (seen.clock_mhz, seen.temperature_c) == (pytest.approx(2100), 61.0)
    assert seen.power_watts == pytest.approx(75.5)
    assert seen.energy_j == Null("NO_ENERGY_COUNTER")
    assert seen.throttle == frozenset()
    assert (slow.memory_clock_mhz, slow.fan_percent) == (pytest.approx(1124), pytest.approx(20))
    assert (slow.pcie_generation, slow.pcie_width) == (4, 16.0)
    assert slow.power_limit_watts == pytest.approx(241)


def test_a_card_without_a_serial_number_is_known_by_its_place_on_the_bus(tmp_path: Path) -> None:
    add_card(tmp_path, files={"mem_info_vram_total": "1"}, sensors={})
    add_card(tmp_path, 1)
    one, two = cards(tmp_path)
    assert (one.info.uuid, one.info.name) == ("amd-0000:03:00.0", "AMD GPU unknown rev unknown")
    assert two.info.index == 1


def test_a_card_without_a_name_has_that_of_its_chip_and_revision(tmp_path: Path) -> None:
    add_card(tmp_path, files=CONSUMER)
    (card,) = cards(tmp_path)
    assert card.info.name == "AMD GPU 744c rev c8"


def test_what_a_card_does_not_say_is_null_with_a_reason(tmp_path: Path) -> None:
    add_card(tmp_path, files={"mem_info_vram_total": "0"}, sensors={"temp1_input": "broken"})
    (card,) = cards(tmp_path)
    seen = card.gauges()
    assert seen.temperature_c == UNTOLD, "the file is there, and no sensor behind it"
    assert (seen.power_watts, seen.memory_used_mib) == (Null("NO_SENSOR"),) * 2
    assert seen.throttle == Null("NO_SENSOR")
    assert card.details().fan_percent == Null("NO_SENSOR")
    assert card.processes() == Null("NO_PROCESS_LIST")


def test_newer_cards_give_the_momentary_power_only(tmp_path: Path) -> None:
    add_card(tmp_path, sensors={"power1_input": "42000000"})
    (card,) = cards(tmp_path)
    assert card.gauges().power_watts == pytest.approx(42)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (gpu_metrics(1, 3, 1 << 0), {"sw_power_cap"}),
        (gpu_metrics(1, 3, 1 << 16), {"sw_power_cap"}),
        (gpu_metrics(1, 3, 1 << 36), {"sw_thermal"}),
        (gpu_metrics(2, 2, 1 << 46), {"hw_thermal"}),
        (gpu_metrics(2, 2, 1 << 5 | 1 << 32), {"sw_power_cap", "sw_thermal"}),
        (gpu_metrics(1, 3, 1 << 56), set()),
        (gpu_metrics(1, 3, 2**64 - 1), UNTOLD),
        (gpu_metrics(1, 1, 1), Null("GPU_METRICS_V1_1_NOT_READ")),
        (b"\x01", UNTOLD),
    ],
)
def test_what_slows_a_card_is_read_from_its_metrics(
    tmp_path: Path, metrics: bytes, expected: Any
) -> None:
    add_card(tmp_path, metrics=metrics)
    (card,) = cards(tmp_path)
    assert card.gauges().throttle == expected


def test_compute_processes_of_all_users_are_listed_by_card(tmp_path: Path) -> None:
    add_card(tmp_path)
    add_card(tmp_path, 1)
    add_kfd(tmp_path, 0, {70: 512 * MIB})
    add_kfd(tmp_path, 1, {71: 300 * MIB, 72: 0})
    one, two = cards(tmp_path)
    assert one.processes() == (DeviceProcess(70, 512.0, UNTOLD),)
    assert two.processes() == (DeviceProcess(71, 300.0, UNTOLD), DeviceProcess(72, 0.0, UNTOLD))


def test_a_server_that_draws_with_vulkan_is_found_by_its_own_books(tmp_path: Path) -> None:
    add_card(tmp_path)
    add_card(tmp_path, 1)
    here, there = "0000:03:00.0", "0000:04:00.0"
    add_fdinfo(
        tmp_path / "proc",
        80,
        "pos:\t0\n",
        drm_client(here, 5, f"{2048 * 1024} KiB"),
        drm_client(here, 5, f"{2048 * 1024} KiB"),  # the same client's other file
        drm_client(here, 6, "100 MiB"),
        drm_client(there, 7, "1 MiB"),
    )
    one, two = cards(tmp_path)
    assert one.processes() == Null("NO_PROCESS_LIST")
    assert one.processes([80, 81]) == (DeviceProcess(80, 2148.0, UNTOLD),)
    assert two.processes([80]) == (DeviceProcess(80, 1.0, UNTOLD),)
    # One that also computes is in KFD's books, and its memory is not counted twice.
    add_kfd(tmp_path, 0, {80: 4096 * MIB, 70: 512 * MIB})
    (one, _) = cards(tmp_path)
    compute = (DeviceProcess(70, 512.0, UNTOLD), DeviceProcess(80, 4096.0, UNTOLD))
    assert one.processes([80]) == compute


def test_a_card_that_vanishes_says_so(tmp_path: Path) -> None:
    device = add_card(tmp_path, metrics=gpu_metrics(1, 3, 0))
    (card,) = cards(tmp_path)
    shutil.rmtree(device.resolve())
    seen, lost = card.gauges(), Null("GPU_LOST")
    assert (seen.memory_total_mib, seen.temperature_c, seen.throttle) == (lost, lost, lost)


def test_a_card_of_another_driver_is_no_amd_gpu(tmp_path: Path) -> None:
    add_card(tmp_path, files={}, sensors=SENSORS)
    assert find_amd_cards(tmp_path) == Null("NO_DEVICE")
    with open_devices("amd", tmp_path / "missing") as found:
        assert (found.devices, found.absent) == ((), {"amd": "NO_DEVICE"})
    add_card(tmp_path, 1, RDNA)
    with open_devices("amd", tmp_path) as found:
        assert [device.info.source for device in found.devices] == ["amd-sysfs"]


# AMD's own library


class AmdSmiException(Exception):
    pass


class AmdSmiLibraryException(AmdSmiException):
    def __init__(self, code: int) -> None:
        self._code = code
        super().__init__(str(code))

    def get_error_code(self) -> int:
        return self._code


class Smi:
    """A stand-in for the module `amdsmi`; forms as in AMD SMI's Python API reference. Synthetic."""

    AmdSmiException, AmdSmiLibraryException = AmdSmiException, AmdSmiLibraryException
    AmdSmiClkType = SimpleNamespace(GFX="gfx", MEM="mem")
    AmdSmiTemperatureType = SimpleNamespace(HOTSPOT="hotspot", EDGE="edge")
    AmdSmiTemperatureMetric = SimpleNamespace(CURRENT="current")

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "processor_handles": ["h0"],
            "gpu_device_uuid": "a4ff74a1-0000-1000-80e2-b7a1f4a8d5d0",
            "gpu_asic_info": {"market_name": "AMD Instinct MI300X"},
            "gpu_vram_usage": {"vram_total": 196592, "vram_used": 21000},
            "gpu_activity": {"gfx_activity": 88, "umc_activity": 20, "mm_activity": "N/A"},
            "clock_info": {"clk": 2100, "min_clk": 132, "max_clk": 2100},
            "power_info": {
                "current_socket_power": 350,
                "average_socket_power": "N/A",
                "power_limit": 750000000,
            },
            "energy_count": {"energy_accumulator": 1000000, "counter_resolution": 15.3},
            "gpu_metrics_info": {"indep_throttle_status": 1 << 36},
            "gpu_fan_speed": 51,
            "gpu_fan_speed_max": 255,
            "pcie_info": {
                "pcie_static": {"pcie_interface_version": 5},
                "pcie_metric": {"pcie_width": 16},
            },
            "gpu_process_list": [
                {"name": "N/A", "pid": 90, "memory_usage": {"vram_mem": 700 * MIB}}
            ],
            **answers,
        }

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("amdsmi_get_"):
            raise AttributeError(name)

        def call(*_: Any) -> Any:
            answer = self.answers[name.removeprefix("amdsmi_get_")]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def amdsmi_get_temp_metric(self, _: str, kind: str, metric: str) -> int:
        if kind == "hotspot":
            return 61
        raise AmdSmiLibraryException(2)


def by_library(**answers: Any) -> AmdSmiDevice:
    found = find_amd_smi(Smi(**answers))
    assert not isinstance(found, Null)
    return found[0]


def test_amd_s_library_is_read_in_our_units() -> None:
    card = by_library()
    assert (card.info.name, card.info.source) == ("AMD Instinct MI300X", "amdsmi")
    seen, slow = card.gauges(), card.details()
    assert (seen.memory_total_mib, seen.memory_free_mib) == (196592.0, 175592.0)
    assert (seen.utilization, seen.clock_mhz, seen.temperature_c) == (0.88, 2100.0, 61.0)
    assert (seen.power_watts, seen.energy_j) == (350.0, pytest.approx(15.3))
    assert seen.throttle == {"sw_thermal"}
    assert (slow.fan_percent, slow.power_limit_watts) == (20.0, pytest.approx(750))
    assert (slow.pcie_generation, slow.pcie_width) == (5.0, 16.0)
    assert card.processes() == (DeviceProcess(90, 700.0, UNTOLD),)


def test_what_amd_s_library_does_not_know_is_null_and_the_rest_goes_on() -> None:
    card = by_library(
        gpu_activity={"gfx_activity": "N/A"},
        energy_count=AmdSmiLibraryException(2),
        power_info=AmdSmiLibraryException(31),
        gpu_fan_speed=AmdSmiException(),
        gpu_metrics_info={"indep_throttle_status": "N/A"},
    )
    seen = card.gauges()
    assert (seen.utilization, seen.energy_j, seen.throttle) == (UNTOLD, UNTOLD, UNTOLD)
    assert seen.power_watts == Null("AMDSMI_ERROR_31")
    assert seen.memory_used_mib == 21000.0
    assert card.details().fan_percent == UNTOLD


def test_older_versions_call_the_energy_a_power() -> None:
    card = by_library(energy_count={"power": 2000000, "counter_resolution": 15.3})
    assert card.gauges().energy_j == pytest.approx(30.6)


def test_a_library_without_a_card_is_no_gpu() -> None:
    assert find_amd_smi(Smi(processor_handles=[])) == Null("NO_DEVICE")
