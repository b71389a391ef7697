"""Verdicts over synthetic traces: who disturbed which run on which GPU, and what can't be said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest
from gpu_replay import record_of
from nvml_replay import load_trace

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.telemetry.gpu.samples import GpuRecord, GpuSample
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason, Severity

CLEAN: set[Reason] = set()
FOREIGN, UNKNOWN = {Reason.FOREIGN_GPU_PROCESS}, {Reason.GPU_UNATTRIBUTABLE}
CAP, HOT = Reason.SW_POWER_CAP, Reason.THERMAL_THROTTLE


def watched(name: str) -> WatchedGpus:
    return WatchedGpus(record_of(load_trace(name)))


def seen(name: str, window: tuple[float, float]) -> tuple[Observation, ...]:
    return watched(name).judge(window)[1]


@pytest.mark.parametrize(
    ("name", "window", "expected"),
    [
        pytest.param("two_cards", (1.0, 2.5), CLEAN, id="two cards, idle"),
        pytest.param("two_cards", (4.0, 6.9), CLEAN, id="two cards, only the server works"),
        pytest.param("two_cards", (7.5, 8.5), FOREIGN, id="two cards, a trainer starts in the run"),
        pytest.param("two_cards", (10.1, 11.5), FOREIGN, id="two cards, it works and grows not"),
        pytest.param("desktop", (3.2, 4.9), CLEAN, id="a compositor that grows and works"),
        pytest.param("desktop", (5.5, 6.5), FOREIGN, id="a browser is no compositor"),
        pytest.param("desktop", (8.1, 9.5), CLEAN, id="a browser that only sits there"),
        pytest.param("mig", (1.0, 9.0), CLEAN, id="work on the other part of a card"),
        pytest.param("wddm", (1.0, 2.5), UNKNOWN, id="Windows tells no memory"),
        pytest.param("wddm", (4.0, 6.5), UNKNOWN, id="Windows, a game starts"),
        pytest.param("unified", (4.0, 8.0), CLEAN, id="shared memory"),
        pytest.param("strangers", (4.0, 8.0), UNKNOWN, id="pids of another machine"),
        pytest.param("no_processes", (4.0, 8.0), UNKNOWN, id="no list of processes"),
        pytest.param("vanishing", (2.5, 4.5), CLEAN, id="a card before it goes"),
        pytest.param("vanishing", (5.5, 7.0), {Reason.TELEMETRY_GAP}, id="a card that goes"),
        pytest.param("throttling", (1.0, 2.0), CLEAN, id="a cool card"),
        pytest.param("throttling", (3.5, 5.5), {CAP}, id="a power cap"),
        pytest.param("throttling", (6.5, 8.0), {CAP, HOT}, id="a hot card"),
        pytest.param("load_not_told", (4.0, 6.5), UNKNOWN, id="foreign work is possible"),
        pytest.param(
            "load_not_told", (7.5, 9.5), FOREIGN, id="its utilization is unknown, its growth is not"
        ),
        pytest.param("counter_reset", (5.0, 7.0), CLEAN, id="a counter says nothing of quality"),
    ],
)
def test_each_trace_gets_the_right_verdict(
    name: str, window: tuple[float, float], expected: set[Reason]
) -> None:
    assert {item.reason for item in seen(name, window)} == expected


def test_a_foreign_process_is_named_with_pid_amount_gpu_and_time() -> None:
    (found,) = seen("two_cards", (7.5, 8.5))
    assert found.severity is Severity.HARD
    assert found.evidence.startswith("trainer (pid 410): +2048 MiB, busy 40% of the time, ")
    assert "first seen at 8.0 s, on GPU 0 (NVIDIA H100 80GB HBM3, GPU-11111111-" in found.evidence
    assert found.evidence.endswith(" s into the session")


def test_what_windows_does_not_tell_is_a_note_that_names_what_is_known() -> None:
    (found,) = seen("wddm", (4.0, 6.5))
    assert found.severity is Severity.NOTE
    assert "game.exe (pid 510): memory unknown (PROCESS_MEMORY_NOT_AVAILABLE)" in found.evidence
    assert "2048 MiB more in use, not by a listed process" in found.evidence
    assert "dwm.exe" not in found.evidence


def test_a_process_whose_work_nobody_tells_is_named_when_it_holds_much() -> None:
    (found,) = seen("load_not_told", (4.0, 6.5))
    assert found.severity is Severity.NOTE
    assert found.evidence.startswith("trainer (pid 410): +0 MiB, first seen at ")
    assert "holds 4096 MiB, utilization unknown, on GPU 0 (" in found.evidence
    assert "tray" not in found.evidence


def test_a_foreign_process_that_works_is_found_without_its_memory() -> None:
    trace = load_trace("wddm")
    card = trace["devices"][0]
    del card["process_utilization"]
    card["segments"][2]["processes"][2]["sm"] = 30
    reasons = [item.reason for item in WatchedGpus(record_of(trace)).judge((6.5, 8.5))[1]]
    assert Reason.FOREIGN_GPU_PROCESS in reasons


def test_a_server_that_nobody_found_accuses_nobody() -> None:
    gpus = WatchedGpus(record_of({**load_trace("two_cards"), "server_pid": None}))
    found, reasons = gpus.judge((7.5, 8.5))
    assert {item.reason for item in reasons} == UNKNOWN
    assert "llama-server (pid 210): " in reasons[0].evidence
    assert found.null_reasons["server_vram_mib"] == "NOT_SEEN_ON_A_GPU"
    assert gpus.used == (0, 1)


def unseen(**devices: list[dict[str, Any]]) -> WatchedGpus:
    """Return the two cards as from inside of a container: no pid of the driver is one of here."""
    trace = {**load_trace("two_cards"), **devices}
    here = [item for item in trace["processes_of_machine"] if item[0] <= 110]
    return WatchedGpus(record_of({**trace, "processes_of_machine": here, "server_pid": 110}))


def test_a_server_seen_on_none_of_several_gpus_has_the_readings_of_none() -> None:
    found, reasons = unseen().judge((4.0, 7.0))
    assert {item.reason for item in reasons} == UNKNOWN
    theirs = set(found.readings()) - {"server_vram_mib"}
    assert {found.null_reasons[name] for name in theirs} == {"SERVER_NOT_SEEN_ON_A_GPU"}
    assert (found.energy_method, found.null_reasons["server_vram_mib"]) == (
        None,
        "NOT_SEEN_ON_A_GPU",
    )


def test_a_server_seen_on_no_gpu_has_the_readings_of_the_only_one() -> None:
    (only, _) = load_trace("two_cards")["devices"]
    found, _ = unseen(devices=[only]).judge((4.0, 7.0))
    assert found.energy_joules == pytest.approx(1200, rel=1e-3)
    assert (found.temperature_end_c, found.power_watts) == (55.0, 400.0)


def test_a_server_seen_on_no_gpu_has_not_the_readings_of_one_that_never_worked() -> None:
    (only, _) = load_trace("two_cards")["devices"]
    rest = only["segments"][0]
    found, _ = unseen(devices=[{**only, "segments": [{**rest, "for_s": 12}]}]).judge((4.0, 7.0))
    theirs = set(found.readings()) - {"server_vram_mib"}
    assert {found.null_reasons[name] for name in theirs} == {"NOT_SEEN_ON_A_GPU"}


def test_what_a_gpu_takes_beside_a_model_in_main_memory_is_not_the_model_s() -> None:
    (only, _) = load_trace("two_cards")["devices"]
    record = unseen(devices=[only]).record
    found, _ = WatchedGpus(record, main_memory=True).judge((4.0, 7.0))
    theirs = set(found.readings()) - {"server_vram_mib"}
    assert {found.null_reasons[name] for name in theirs} == {"NO_GPU_USED"}
    contradicted, _ = WatchedGpus(watched("two_cards").record, main_memory=True).judge((4.0, 7.0))
    assert contradicted.energy_joules == pytest.approx(1200, rel=1e-3)


def idle_trainer(refused_s: int | None = None) -> dict[str, Any]:
    """Return the trace of a trainer that holds its memory; a second's list may be refused."""
    trace = load_trace("two_cards")
    card = trace["devices"][0]
    first, _, last = card["segments"]
    there = [{**item, "sm": 0} for item in last["processes"]]
    card["segments"] = [
        {**first, "for_s": 1, "processes": {"error": 999} if at_s == refused_s else there}
        for at_s in range(12)
    ]
    return trace


def test_a_list_that_the_driver_refused_is_no_empty_one() -> None:
    judge = WatchedGpus(record_of(idle_trainer(refused_s=4))).judge
    quiet, unknown = ({item.reason for item in judge(at)[1]} for at in ((6.5, 8.5), (4.5, 6.5)))
    assert (quiet, unknown) == (CLEAN, UNKNOWN)


def test_work_that_is_told_now_and_then_is_not_thinned_out() -> None:
    record = record_of(idle_trainer())
    shares: Iterator[float | Null] = cycle((Null("NVML_ERROR_999"), 0.08))

    def working(look: GpuSample) -> GpuSample:
        if look.processes is None:
            return look
        (one, other), share = look.processes, next(shares)
        assert not isinstance(one, Null)
        return replace(
            look, processes=(tuple(replace(item, utilization=share) for item in one), other)
        )

    gpus = WatchedGpus(replace(record, samples=tuple(map(working, record.samples))))
    (found,) = (item for item in gpus.judge((3.0, 9.0))[1] if item.reason in FOREIGN)
    assert found.evidence.startswith("trainer (pid 410): +0 MiB, busy 8% of the time")


def test_a_hot_card_is_told_with_its_temperature() -> None:
    hot = next(item for item in seen("throttling", (6.5, 8.0)) if item.reason is HOT)
    assert "slowed by sw_thermal in 100% of the samples, up to 87 C" in hot.evidence


def test_one_slow_sample_of_a_hundred_is_enough_and_none_is_not() -> None:
    trace = load_trace("throttling")
    segments = trace["devices"][0]["segments"]
    segments[2]["clocks_event_reasons"] = 0
    segments.insert(2, {"for_s": 0.2, "clocks_event_reasons": 0x40})
    gpus = WatchedGpus(record_of(trace))
    assert HOT in {item.reason for item in gpus.judge((5.0, 9.0))[1]}
    assert HOT not in {item.reason for item in gpus.judge((7.0, 9.0))[1]}


def test_the_server_s_memory_is_the_driver_s_word_and_grows_only() -> None:
    trace = load_trace("two_cards")
    first = trace["devices"][0]["segments"]
    first[1]["processes"] = [{"pid": 210, "used": 12000 << 20, "kind": "C"}]
    gpus = WatchedGpus(record_of(trace))
    peaks = [
        gpus.judge(window)[0].server_vram_mib for window in ((1.0, 1.9), (4.0, 5.0), (9.0, 10))
    ]
    assert peaks == [9000.0, 12000.0, 12000.0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wddm", "PROCESS_MEMORY_NOT_AVAILABLE"),
        ("no_processes", "NO_PERMISSION"),
        ("strangers", "NOT_SEEN_ON_A_GPU"),
    ],
)
def test_memory_that_can_not_be_attributed_is_null(name: str, reason: str) -> None:
    found, _ = watched(name).judge((4.0, 6.0))
    assert (found.server_vram_mib, found.null_reasons["server_vram_mib"]) == (None, reason)


def test_only_the_gpus_of_the_server_are_counted() -> None:
    gpus = watched("two_cards")
    assert gpus.used == (0,)
    found, _ = gpus.judge((4.0, 7.0))
    assert found.energy_joules == pytest.approx(1200, rel=1e-3)
    assert found.idle_joules == pytest.approx(210, rel=1e-3)
    assert (found.temperature_end_c, found.power_watts, found.clock_mhz) == (55.0, 400.0, 1980.0)
    assert watched("strangers").used == (0,), "unknown, so all of them"


def test_of_several_gpus_power_is_the_sum_and_the_rest_the_worst() -> None:
    """The second of them is the slower, the hotter and the one that heat slows."""
    trace = load_trace("two_cards")
    (busy, other) = trace["devices"]
    changes = {"clock_mhz": 1200, "temperature_c": 88, "power_mw": 250000, "utilization": 40}
    held = {"processes": busy["segments"][1]["processes"], "clocks_event_reasons": 0x40}
    other["segments"] = [{**other["segments"][0], **changes, **held}]
    gpus = WatchedGpus(record_of(trace))
    found, reasons = gpus.judge((4.0, 7.0))
    assert gpus.used == (0, 1)
    assert (found.power_watts, found.energy_joules) == (650.0, pytest.approx(3 * 650, rel=1e-3))
    assert (found.clock_mhz, found.temperature_end_c) == (1200.0, 88.0)
    assert (found.utilization, found.throttled_ratio) == (0.97, 1.0)
    assert found.server_vram_mib == 2 * 9000.0
    assert {item.reason for item in reasons} == {HOT}


def test_without_a_gpu_every_reading_is_null_and_nobody_is_accused() -> None:
    found, seen_there = WatchedGpus(GpuRecord(absent={"nvidia": "NO_DRIVER"})).judge((0.0, 1.0))
    assert set(found.null_reasons) == set(found.readings())
    assert set(found.null_reasons.values()) == {"NO_GPU"}
    assert seen_there == ()


def test_a_run_that_the_sampler_did_not_see_is_no_clean_run() -> None:
    (found,) = seen("two_cards", (50.0, 51.0))
    assert found.reason is Reason.TELEMETRY_GAP
    assert "no samples of the GPUs" in found.evidence


def test_a_session_s_summary_has_each_gpu_with_what_it_did_not_tell() -> None:
    one, two = summarize_gpus(watched("two_cards"), 3)
    assert (one.session, one.used, two.used) == (3, True, False)
    assert (one.server_vram_peak_mib, one.memory_used_peak_mib) == (9000.0, 12288.0)
    assert (one.temperature_start_c, one.temperature_end_c, one.power_watts_max) == (32, 55, 400)
    assert one.energy_joules == pytest.approx(3 * 70 + 9 * 400, rel=1e-3)
    assert one.null_reasons == {"fan_percent_max": "NOT_SUPPORTED"}
    assert two.null_reasons["server_vram_peak_mib"] == "NOT_SEEN_ON_A_GPU"
    (hot,) = summarize_gpus(watched("throttling"), 0)
    assert hot.throttle_reasons == ("sw_power_cap", "sw_thermal")
    (shared,) = summarize_gpus(watched("unified"), 0)
    assert shared.null_reasons["memory_total_mib"] == "NOT_SUPPORTED"
    assert (shared.energy_method, shared.server_vram_peak_mib) == ("power", 9000.0)


def test_what_a_lost_card_said_before_is_kept() -> None:
    (lost,) = summarize_gpus(watched("vanishing"), 0)
    assert (lost.temperature_max_c, lost.server_vram_peak_mib) == (55.0, 9000.0)
    assert lost.null_reasons["energy_joules"] == "GPU_LOST"
    assert lost.null_reasons["temperature_end_c"] == "GPU_LOST"
