"""NVIDIA's GPUs through the real `pynvml`, over synthetic traces of the driver's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from nvml_replay import TRACES, load_trace, nvml_of

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.telemetry.devices.opening import Devices, open_devices
from orket_lib.telemetry.devices.reading import Device, DeviceProcess
from orket_lib.vocabulary.nulls import Null

LOST = Null("GPU_LOST")
UNTOLD = Null("NOT_SUPPORTED")


@contextmanager
def opened(trace: str | dict[str, Any], at_s: float = 0.0) -> Iterator[Devices]:
    """Open the GPUs of a trace, held at one moment."""
    content = load_trace(trace) if isinstance(trace, str) else trace
    with nvml_of(content, lambda: at_s), open_devices("nvidia") as found:
        yield found


def only(found: Devices) -> Device:
    (device,) = found.devices
    return device


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.json")), ids=lambda path: path.stem)
def test_every_trace_says_that_it_is_synthetic_and_where_its_fields_come_from(path: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["synthetic"] is True
    assert content["about"]
    named = " ".join(content["sources"])
    for card in content["devices"]:
        for segment in card["segments"]:
            for name in segment.keys() - {"for_s", "lost"}:
                assert name in named, f"{name}: no source"


def test_each_card_is_known_by_its_uuid_and_read_in_our_units() -> None:
    with opened("two_cards", 5.0) as found:
        one, two = found.devices
        assert [(device.info.index, device.info.source) for device in (one, two)] == [
            (0, "nvml"),
            (1, "nvml"),
        ]
        assert one.info.uuid.startswith("GPU-1111") and two.info.uuid.startswith("GPU-2222")
        seen = one.gauges()
        assert (seen.memory_total_mib, seen.memory_used_mib) == (81920.0, 10240.0)
        assert seen.memory_free_mib == 71680.0
        assert (seen.utilization, seen.clock_mhz, seen.temperature_c) == (0.97, 1980.0, 55.0)
        assert seen.power_watts == 400.0
        assert seen.energy_j == pytest.approx(3 * 70 + 2 * 400)
        assert seen.throttle == frozenset()
        slow = one.details()
        assert (slow.memory_clock_mhz, slow.power_limit_watts) == (2619.0, 700.0)
        assert (slow.pcie_generation, slow.pcie_width) == (5.0, 16.0)
        assert slow.fan_percent == UNTOLD, "a card without a fan of its own"


def test_a_card_is_chosen_by_uuid_or_index_and_not_by_its_place_in_a_list() -> None:
    with opened("two_cards") as found:
        for names in (("1",), ("GPU-22222222-bbbb-4bbb-8bbb-000000000000",), ("GPU-2222",)):
            (device,) = found.chosen(names).devices
            assert device.info.index == 1
        assert found.chosen(None) is found
        assert found.chosen(("7",)).devices == ()


def test_parts_of_a_card_stand_for_it_with_what_is_shared_from_it() -> None:
    with opened("mig", 6.0) as found:
        first, second = found.devices
        assert [device.info.uuid[:13] for device in (first, second)] == ["MIG-44444444-"] * 2
        assert first.info.parent_uuid == second.info.parent_uuid
        seen = second.gauges()
        assert seen.memory_used_mib == 9216.0
        assert seen.temperature_c == 55.0, "of the whole card"
        shared = Null("SHARED_BY_MIG_INSTANCES")
        assert (seen.power_watts, seen.energy_j, seen.utilization) == (shared, shared, UNTOLD)
        assert second.processes() == (DeviceProcess(210, 9000.0, UNTOLD),)
        assert found.chosen((str(first.info.parent_uuid),)).devices == found.devices


def test_for_parts_of_a_card_the_card_is_locked() -> None:
    with nvml_of(load_trace("mig"), lambda: 0.0):
        locked = locked_devices("ollama", None, ServerLocation())
        elsewhere = locked_devices("ollama", None, ServerLocation(base_url="http://10.0.0.7:11434"))
    assert locked == ("cpu", "GPU-44444444-dddd-4ddd-8ddd-000000000000")
    assert elsewhere == ("cpu",)


def test_memory_of_processes_that_windows_keeps_to_itself_is_not_told() -> None:
    with opened("wddm", 6.0) as found:
        listed = only(found).processes()
        assert not isinstance(listed, Null)
        assert [item.pid for item in listed] == [210, 500, 510]
        assert {item.used_mib for item in listed} == {Null("PROCESS_MEMORY_NOT_AVAILABLE")}
        assert {item.utilization for item in listed} == {UNTOLD}


def test_a_process_that_computes_and_draws_is_listed_once() -> None:
    with opened("desktop", 4.0) as found:
        listed = only(found).processes()
        assert not isinstance(listed, Null)
        assert [(item.pid, item.used_mib) for item in listed] == [
            (210, 9000.0),
            (300, 200.0),
            (310, 400.0),
        ]
        assert [item.utilization for item in listed] == [0.9, 0.0, 0.15]


def test_a_gpu_that_shares_the_main_memory_tells_no_size_and_all_else() -> None:
    with opened("unified", 5.0) as found:
        seen, slow = only(found).gauges(), only(found).details()
        assert (seen.memory_total_mib, seen.memory_used_mib, seen.memory_free_mib) == (
            UNTOLD,
            UNTOLD,
            UNTOLD,
        )
        assert (seen.power_watts, seen.temperature_c) == (60.0, 52.0)
        assert (slow.fan_percent, slow.power_limit_watts) == (UNTOLD, UNTOLD)
        listed = only(found).processes()
        assert not isinstance(listed, Null)
        assert listed[0].used_mib == 9000.0


def test_a_card_that_vanishes_says_so_in_every_field_and_raises_nothing() -> None:
    at_s = 5.0
    with nvml_of(load_trace("vanishing"), lambda: at_s), open_devices("nvidia") as found:
        device = only(found)
        assert device.gauges().temperature_c == 55.0
        at_s = 6.5
        assert set(vars(device.gauges()).values()) == {LOST}
        assert set(vars(device.details()).values()) == {LOST}
        assert device.processes() == LOST


def test_a_card_that_is_gone_before_we_come_is_not_there_and_the_others_are() -> None:
    trace = load_trace("two_cards")
    trace["devices"][0]["segments"][0]["lost"] = {"error": 15}
    with opened(trace) as found:
        assert [device.info.uuid for device in found.devices] == [
            "nvidia-0",  # its handle can be had, and nothing else
            "GPU-22222222-bbbb-4bbb-8bbb-000000000000",
        ]
        assert found.devices[0].gauges().power_watts == LOST


def test_an_older_driver_knows_the_reasons_by_their_old_name() -> None:
    with opened("no_energy_counter", 5.0) as found:
        seen = only(found).gauges()
        assert seen.throttle == frozenset()
        assert (seen.energy_j, seen.power_watts) == (UNTOLD, 200.0)


@pytest.mark.parametrize(
    ("at_s", "words"),
    [(1.0, set()), (4.0, {"sw_power_cap"}), (7.0, {"sw_power_cap", "sw_thermal"})],
)
def test_what_slows_a_card_is_told_in_words(at_s: float, words: set[str]) -> None:
    with opened("throttling", at_s) as found:
        assert only(found).gauges().throttle == words


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x1 | 0x2 | 0x10 | 0x100, set()),
        (0x8, {"hw_slowdown"}),
        (0x40, {"hw_thermal"}),
        (0x80, {"hw_power_brake"}),
    ],
)
def test_idling_and_clocks_that_somebody_set_slow_nothing(bits: int, words: set[str]) -> None:
    trace = load_trace("throttling")
    trace["devices"][0]["segments"][0]["clocks_event_reasons"] = bits
    with opened(trace) as found:
        assert only(found).gauges().throttle == words


def test_who_is_there_can_be_refused() -> None:
    with opened("no_processes") as found:
        assert only(found).processes() == Null("NO_PERMISSION")


def test_a_share_that_is_none_is_not_told_and_no_idleness() -> None:
    trace = load_trace("two_cards")
    at_s = 0.0
    with nvml_of(trace, lambda: at_s), open_devices("nvidia") as found:
        at_s = 9.0
        for segment in trace["devices"][0]["segments"]:
            for item in segment["processes"]:
                item["sm"] = 2**32 - 1 if item["pid"] == 410 else 60
        listed = found.devices[0].processes()
    assert not isinstance(listed, Null)
    assert [(item.pid, item.utilization) for item in listed] == [(210, 0.6), (410, UNTOLD)]


def test_what_was_done_before_we_came_is_nobody_s_work_now() -> None:
    with opened("two_cards", -60.0) as found:
        trace = load_trace("two_cards")["devices"][0]
        assert trace["segments"][0]["processes"][0]["pid"] == 210
        listed = found.devices[0].processes()
        assert not isinstance(listed, Null)
        assert [item.utilization for item in listed] == [0.0]


@pytest.mark.parametrize(
    ("error", "reason"), [(12, "NO_DRIVER"), (9, "NO_DRIVER"), (4, "NO_PERMISSION")]
)
def test_a_machine_without_a_driver_is_an_ordinary_machine(error: int, reason: str) -> None:
    with opened({"init": {"error": error}, "devices": []}) as found:
        assert (found.devices, found.absent) == ((), {"nvidia": reason})


def test_a_driver_without_a_card_is_no_gpu() -> None:
    with opened({"devices": []}) as found:
        assert (found.devices, found.absent) == ((), {"nvidia": "NO_DEVICE"})


def test_a_cpu_profile_opens_nothing() -> None:
    with nvml_of({"init": {"error": 12}, "devices": []}), open_devices("cpu") as found:
        assert found == Devices()
