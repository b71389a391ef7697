"""Energy over exact windows: by counter, by power, or null with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import pytest
from gpu_replay import record_of
from nvml_replay import load_trace

from orket_lib.telemetry.gpu.energy import Energy, energy, idle_watts
from orket_lib.telemetry.gpu.samples import GpuSample
from orket_lib.vocabulary.nulls import Null


def samples_of(name: str) -> tuple[GpuSample, ...]:
    return record_of(load_trace(name)).samples


def joules(found: Energy) -> float:
    assert not isinstance(found.joules, Null), found
    return found.joules


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        pytest.param(0.0, 3.0, 3 * 70, id="idle"),
        pytest.param(4.0, 7.0, 3 * 400, id="busy"),
        pytest.param(4.05, 6.13, 2.08 * 400, id="between the looks"),
        pytest.param(1.0, 5.0, 2 * 70 + 2 * 400, id="both"),
    ],
)
def test_a_counter_is_read_at_the_exact_edges(
    start_s: float, end_s: float, expected: float
) -> None:
    found = energy(samples_of("two_cards"), (0,), start_s, end_s)
    assert found.method == "counter"
    assert joules(found) == pytest.approx(expected, rel=1e-3)


def test_neighbouring_windows_add_up_to_the_whole() -> None:
    samples = samples_of("two_cards")
    edges = [0.3, 1.01, 2.77, 3.33, 7.9, 11.2]
    parts = [joules(energy(samples, (0,), one, other)) for one, other in pairwise(edges)]
    assert sum(parts) == pytest.approx(joules(energy(samples, (0,), 0.3, 11.2)), abs=1e-3)


def test_several_cards_are_added_up() -> None:
    samples = samples_of("two_cards")
    both = energy(samples, (0, 1), 4.0, 7.0)
    assert (joules(both), both.method) == (pytest.approx(3 * 470, rel=1e-3), "counter")


def test_a_card_without_a_counter_has_its_power_added_up_and_marked() -> None:
    found = energy(samples_of("no_energy_counter"), (0,), 5.0, 8.0)
    assert (joules(found), found.method) == (pytest.approx(600.0, rel=1e-3), "power")


def test_a_sum_of_both_kinds_is_marked_as_such() -> None:
    one, other = samples_of("two_cards"), samples_of("no_energy_counter")
    together = [
        GpuSample(item.at_s, (item.gauges[0], second.gauges[0]))
        for item, second in zip(one, other, strict=False)
    ]
    found = energy(together, (0, 1), 5.0, 7.0)
    assert (joules(found), found.method) == (pytest.approx(2 * 600, rel=1e-3), "mixed")


@pytest.mark.parametrize(
    ("name", "window", "reason"),
    [
        pytest.param("counter_reset", (5.0, 7.0), "ENERGY_COUNTER_RESET", id="it fell"),
        pytest.param("vanishing", (5.0, 7.0), "GPU_LOST", id="the card went"),
        pytest.param("mig", (5.0, 7.0), "SHARED_BY_MIG_INSTANCES", id="a part of a card"),
        pytest.param("two_cards", (5.0, 99.0), "NOT_SAMPLED", id="beyond the end"),
        pytest.param("two_cards", (-1.0, 3.0), "NOT_SAMPLED", id="before the beginning"),
    ],
)
def test_what_can_not_be_trusted_is_null_with_the_reason(
    name: str, window: tuple[float, float], reason: str
) -> None:
    assert energy(samples_of(name), (0,), *window) == Energy(Null(reason), None)


def test_a_reset_spoils_only_the_window_that_it_falls_into() -> None:
    samples = samples_of("counter_reset")
    assert joules(energy(samples, (0,), 3.0, 5.0)) == pytest.approx(800, rel=1e-3)
    assert joules(energy(samples, (0,), 7.0, 9.0)) == pytest.approx(800, rel=1e-3)


def test_a_counter_that_stands_still_is_no_zero() -> None:
    trace = load_trace("counter_reset")
    for segment in trace["devices"][0]["segments"]:
        segment["energy"] = "stuck"
    found = energy(record_of(trace).samples, (0,), 3.0, 5.0)
    assert found == Energy(Null("ENERGY_COUNTER_STUCK"), None)


def test_a_hole_in_the_samples_makes_no_number() -> None:
    holed = [item for item in samples_of("two_cards") if not 4.0 < item.at_s < 7.5]
    assert energy(holed, (0,), 3.5, 8.0) == Energy(Null("TELEMETRY_GAP"), None)
    assert joules(energy(holed, (0,), 8.0, 9.0)) > 0


def test_no_gpu_is_no_energy() -> None:
    assert energy((), (), 0.0, 1.0) == Energy(Null("NO_GPU"), None)
    assert idle_watts((), ()) == Null("NO_GPU")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("two_cards", 70.0),
        ("vanishing", 70.0),
        ("unified", 11.0),
        ("no_processes", Null("NO_IDLE_SECOND")),
        ("mig", Null("SHARED_BY_MIG_INSTANCES")),
    ],
)
def test_idle_power_is_that_of_the_lowest_idle_second(name: str, expected: float | Null) -> None:
    found = idle_watts(samples_of(name), (0,))
    assert found == (expected if isinstance(expected, Null) else pytest.approx(expected))


def changed(samples: tuple[GpuSample, ...], change: Callable[[float], float]) -> list[GpuSample]:
    """Return samples with another power."""
    return [
        GpuSample(item.at_s, (dataclasses.replace(item.gauges[0], power_watts=change(item.at_s)),))
        for item in samples
    ]


def test_less_than_a_second_of_rest_is_no_rest() -> None:
    samples = samples_of("two_cards")
    busy_again = [
        GpuSample(
            item.at_s,
            (
                dataclasses.replace(
                    item.gauges[0], utilization=float(round(item.at_s * 5) % 4 == 0)
                ),
            ),
        )
        for item in samples
    ]
    assert idle_watts(busy_again, (0,)) == Null("NO_IDLE_SECOND")
    falling = changed(samples[:15], lambda at_s: 100 - 10 * at_s)
    assert idle_watts(falling, (0,)) == pytest.approx(77.5, abs=1.0), "the last second's mean"
