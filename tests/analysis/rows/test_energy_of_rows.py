"""Energy of short windows between idle time: what a row tells is close to the truth, or null.

A card is played that takes 300 W at work and 50 W at rest. Its counter moves ten times a second,
its power is the mean of the last second, as drivers make it. It is looked at as ours are.
"""

from __future__ import annotations

from typing import Any

import pytest
from builders import probe, report, run
from gpu_builders import gauges

from orket_lib.analysis.rows.energy import row_energy
from orket_lib.artifacts.measurements.gpu import GpuWindow
from orket_lib.artifacts.views.row import RowEnergy
from orket_lib.telemetry.gpu.energy import energy
from orket_lib.telemetry.gpu.sampler import PERIOD_S
from orket_lib.telemetry.gpu.samples import GpuSample
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import ENERGY_LOST_RATIO

WORK_W, REST_W = 300.0, 50.0
COUNTER_S, MEAN_S = 0.1, 1.0
BEFORE_S = 3.0

Times = list[tuple[float, float]]


def busy(times: Times, start_s: float, end_s: float) -> float:
    """Return how long there was work between two moments."""
    return sum(max(0.0, min(end_s, end) - max(start_s, start)) for start, end in times)


def joules(times: Times, start_s: float, end_s: float) -> float:
    return REST_W * (end_s - start_s) + (WORK_W - REST_W) * busy(times, start_s, end_s)


def looks(times: Times, counter: bool) -> list[GpuSample]:
    """Return what the sampler sees; its looks don't fall together with the counter's steps."""
    samples = []
    for number in range(int((times[-1][1] + BEFORE_S) / PERIOD_S)):
        at_s = number * PERIOD_S * 1.013
        read: dict[str, Any] = {"utilization": 0.0}
        if counter:
            read["energy_j"] = joules(times, 0.0, at_s // COUNTER_S * COUNTER_S)
        else:
            read["power_watts"] = joules(times, at_s - MEAN_S, at_s) / MEAN_S
        samples.append(GpuSample(at_s, (gauges(**read),)))
    return samples


def window(samples: list[GpuSample], times: tuple[float, float]) -> GpuWindow:
    found = energy(samples, (0,), *times)
    nothing = dict.fromkeys(GpuWindow.readings(), Null("NOT_SUPPORTED"))
    read = {"energy_joules": found.joules, "idle_joules": REST_W * (times[1] - times[0])}
    return GpuWindow.of(energy_method=found.method, **{**nothing, **read})


def row_of(work_s: float, gap_s: float, counter: bool, many: int = 40) -> tuple[RowEnergy, float]:
    """Return the energies of a row whose runs and probes take so long, and the true one of each."""
    times = [
        (start, start + work_s)
        for start in (BEFORE_S + number * (work_s + gap_s) for number in range(many))
    ]
    samples = looks(times, counter)
    seen = [window(samples, item) for item in times]
    runs = [
        run(number, gpu=gpu).model_copy(update={"window_s": at})
        for number, (gpu, at) in enumerate(zip(seen, times, strict=True))
    ]
    probes = [
        probe(number, gpu=gpu, window_s=at, output_tokens=128)
        for number, (gpu, at) in enumerate(zip(seen, times, strict=True))
    ]
    return row_energy(report(probes=tuple(probes), test_runs=tuple(runs))), WORK_W * work_s


@pytest.mark.parametrize("counter", [True, False], ids=["counter", "power"])
@pytest.mark.parametrize(
    ("work_s", "gap_s"), [(0.1, 0.3), (0.3, 0.3), (0.33, 0.5), (1.0, 1.0), (1.5, 4.0)]
)
def test_short_answers_between_rests_have_no_energy(
    work_s: float, gap_s: float, counter: bool
) -> None:
    found, _ = row_of(work_s, gap_s, counter)
    assert set(found.null_reasons.values()) == {"WINDOW_TOO_SHORT"}


@pytest.mark.parametrize(
    ("work_s", "gap_s", "counter", "many"),
    [
        pytest.param(3.0, 1.0, True, 40, id="long ones by the counter"),
        pytest.param(25.0, 5.0, False, 10, id="very long ones by power"),
        pytest.param(0.5, 0.01, True, 40, id="short ones without a rest"),
        pytest.param(1.2, 0.01, False, 40, id="short ones without a rest by power"),
        pytest.param(30.0, 0.0, True, 1, id="a single one"),
    ],
)
def test_what_is_told_is_as_close_to_the_truth_as_is_said(
    work_s: float, gap_s: float, counter: bool, many: int
) -> None:
    found, true_j = row_of(work_s, gap_s, counter, many)
    rest_j = REST_W * work_s
    assert found.joules_per_correct_answer == pytest.approx(true_j, rel=ENERGY_LOST_RATIO)
    assert found.joules_per_output_token == pytest.approx(true_j / 128, rel=ENERGY_LOST_RATIO)
    above = found.joules_per_correct_answer_above_idle
    assert above == pytest.approx(true_j - rest_j, rel=ENERGY_LOST_RATIO)


def test_power_needs_longer_windows_than_a_counter() -> None:
    assert row_of(5.0, 2.0, True)[0].null_reasons == {}
    assert set(row_of(5.0, 2.0, False)[0].null_reasons.values()) == {"WINDOW_TOO_SHORT"}


def test_windows_of_two_loads_of_the_model_are_no_neighbours() -> None:
    times = [(3.0, 5.0), (5.0, 7.0)]
    samples = looks([(3.0, 7.0)], True)
    one, other = (run(gpu=window(samples, at)).model_copy(update={"window_s": at}) for at in times)
    together = row_energy(report(test_runs=(one, other)))
    assert together.joules_per_correct_answer == pytest.approx(600, rel=ENERGY_LOST_RATIO)
    apart = row_energy(report(test_runs=(one, other.model_copy(update={"session": 1}))))
    assert apart.null_reasons["joules_per_correct_answer"] == "WINDOW_TOO_SHORT"
