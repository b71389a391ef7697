"""The trace: a few hundred points from thousands of samples, and none that mixes work and rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_provider import quiet
from pydantic import ValidationError

from orket_lib.artifacts.measurements.thermal_series import ThermalTrace
from orket_lib.measure.thermal.trace import Look, heat_around, looks_at, trace_of
from orket_lib.vocabulary.nulls import Null

NONE = Null("NO_TEMPERATURE_SENSOR")


def test_a_series_with_very_many_repeats_has_a_point_for_each_stretch() -> None:
    windows = [(10.0 * start + 5, 10.0 * start + 10) for start in range(400)]
    trace = trace_of(looks(20_000), windows, on_gpu=False)
    assert trace is not None
    assert len(trace.t_s) <= 2 * len(windows) + 1


def looks(count: int, step_s: float = 0.2) -> list[Look]:
    return [(index * step_s, float(index), 1000.0, NONE) for index in range(count)]


def test_many_samples_become_few_points_of_work_or_rest() -> None:
    windows = [(100.0 * number + 50, 100.0 * number + 100) for number in range(20)]
    trace = trace_of(looks(10_001), windows, on_gpu=False)
    assert trace is not None
    assert 400 < len(trace.t_s) <= 600
    for at_s, repeat in zip(trace.t_s, trace.repeat, strict=True):
        working = (at_s % 100) >= 50 and at_s < 2000
        assert (repeat is not None) == working, at_s
    assert trace.repeat[-1] is None or trace.repeat[-1] == 19
    assert list(trace.t_s) == sorted(trace.t_s)
    assert trace.missing == {"power_w": "NO_TEMPERATURE_SENSOR"}


def test_few_samples_stay_as_they_are() -> None:
    trace = trace_of(looks(10), [(0.5, 1.1)], on_gpu=True)
    assert trace is not None
    assert trace.sensor == "gpu"
    assert trace.temperature_c == tuple(map(float, range(10)))
    assert trace.repeat == (None, None, None, 0, 0, 0, None, None, None, None)


def test_nothing_sampled_is_no_trace() -> None:
    assert trace_of([], [], on_gpu=False) is None


def test_power_is_what_the_counter_gained() -> None:
    samples = [
        replace(quiet(0.0), energy_uj=1_000_000),
        replace(quiet(2.0), energy_uj=21_000_000),
        replace(quiet(3.0), energy_uj=5),
        quiet(4.0),
    ]
    powers = [watts for *_, watts in looks_at(samples, None, elsewhere=False)]
    assert powers == [10.0, 10.0, Null("ENERGY_COUNTER_RESET"), Null("NO_ENERGY_COUNTER")]
    assert looks_at([], None, elsewhere=False) == ()
    (alone,) = looks_at(samples[:1], None, elsewhere=False)
    assert alone[3] == Null("NOT_SAMPLED")


@pytest.mark.parametrize(
    ("window_s", "expected"),
    [((0.4, 1.0), (2.0, 5.0)), ((0.41, 0.42), (2.0, 2.0)), ((1.7, 1.8), (8.0, 9.0))],
    ids=["several looks", "between two looks", "up to the last"],
)
def test_the_heat_of_a_window(window_s: tuple[float, float], expected: tuple[float, float]) -> None:
    assert heat_around(looks(10), window_s) == expected


@pytest.mark.parametrize("window_s", [(1.7, 1.9), (5.0, 6.0), (-0.1, 1.0)])
def test_no_look_stands_for_a_window_that_the_looks_do_not_reach_around(
    window_s: tuple[float, float],
) -> None:
    unsampled = Null("NOT_SAMPLED")
    assert heat_around(looks(10), window_s) == (unsampled, unsampled)


def test_no_look_stands_for_a_window_after_a_gap() -> None:
    gap, around = Null("TELEMETRY_GAP"), [*looks(10), (9.0, 70.0, 1.0, 1.0)]
    assert heat_around(around, (8.0, 8.5)) == (gap, gap)
    assert heat_around(around, (0.4, 1.0)) == (2.0, 5.0)


def test_a_window_without_a_look_or_a_sensor_says_so() -> None:
    assert heat_around([], (0.0, 1.0)) == (Null("NOT_SAMPLED"), Null("NOT_SAMPLED"))
    assert heat_around([(0.0, NONE, 1.0, 1.0)], (0.0, 1.0)) == (NONE, NONE)


@pytest.mark.parametrize(
    "changes",
    [{"power_w": (None,)}, {"clock_mhz": ()}, {"missing": {"clock_mhz": "NOT_SAMPLED"}}],
    ids=["null without a reason", "short column", "reason without a null"],
)
def test_a_trace_says_why_something_is_missing(changes: dict[str, object]) -> None:
    whole: dict[str, object] = {
        "sensor": "cpu",
        "t_s": (0.0,),
        "repeat": (None,),
        "temperature_c": (50.0,),
        "clock_mhz": (1000.0,),
        "power_w": (10.0,),
    }
    assert ThermalTrace.model_validate(whole).missing == {}
    with pytest.raises(ValidationError):
        ThermalTrace.model_validate(whole | changes)
