"""Traps of GPUs, over synthetic traces replayed below `pynvml`; see `simulators/gpu_traces`."""

from __future__ import annotations

import pytest
from gpu_replay import record_of
from nvml_replay import load_trace

from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.vocabulary.reasons import Reason


def watched(name: str) -> WatchedGpus:
    return WatchedGpus(record_of(load_trace(name)))


# --- T8: a foreign process starts in the middle ---


def test_t08_a_process_that_comes_to_the_gpu_in_the_middle_of_a_run_is_named() -> None:
    _, seen = watched("two_cards").judge((4.0, 11.0))
    (found,) = seen
    assert found.reason is Reason.FOREIGN_GPU_PROCESS
    assert found.evidence.startswith("trainer (pid 410): +2048 MiB")


@pytest.mark.parametrize("name", ["wddm", "strangers", "no_processes", "load_not_told"])
def test_t08_what_can_not_be_attributed_is_not_clean(name: str) -> None:
    _, seen = watched(name).judge((4.0, 7.0))
    assert [item.reason for item in seen] == [Reason.GPU_UNATTRIBUTABLE]


# --- T9: a GPU without an energy counter ---


def test_t09_a_gpu_without_an_energy_counter_has_not_used_0_joules() -> None:
    trace = load_trace("no_energy_counter")
    for segment in trace["devices"][0]["segments"]:
        segment["power_mw"] = {"error": 3}
    found, _ = WatchedGpus(record_of(trace)).judge((5.0, 8.0))
    assert found.energy_joules is None
    assert found.null_reasons["energy_joules"] == "NOT_SUPPORTED"


def test_t09_a_counter_that_fell_or_stands_still_is_no_number() -> None:
    found, _ = watched("counter_reset").judge((5.0, 7.0))
    assert found.null_reasons["energy_joules"] == "ENERGY_COUNTER_RESET"


# --- T12: the device's word, not the server's ---


def test_t12_the_peak_is_what_the_device_says_of_the_server_s_processes_alone() -> None:
    one, _ = summarize_gpus(watched("two_cards"), 0)
    assert (one.server_vram_peak_mib, one.memory_used_peak_mib) == (9000.0, 12288.0)


# --- T14: heat of each run ---


def test_t14_each_run_has_the_heat_that_it_began_and_ended_with() -> None:
    gpus = watched("throttling")
    cool, hot = gpus.judge((1.0, 2.0))[0], gpus.judge((5.0, 7.0))[0]
    assert (cool.temperature_start_c, cool.temperature_end_c) == (32.0, 32.0)
    assert (hot.temperature_start_c, hot.temperature_end_c) == (55.0, 87.0)
