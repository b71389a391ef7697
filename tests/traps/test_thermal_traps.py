"""Heat that builds up (T14): rests are real, and noise between the runs is no heat."""

from __future__ import annotations

import random
import time

import pytest
from thermal_builders import RESTS, thermal_spec

from orket_lib.analysis.thermal.trend import Run, trend_of
from orket_lib.measure.session import cooldown
from orket_lib.measure.session.cooldown import cool_to
from orket_lib.providers.base import Source


def test_t14_a_rest_lasts_until_the_machine_is_cool(monkeypatch: pytest.MonkeyPatch) -> None:
    heat = [61.0, 58.0, 54.0, 49.0, 40.0]
    slept: list[float] = []
    monkeypatch.setattr(cooldown, "cpu_temperature_c", lambda: heat.pop(0))
    monkeypatch.setattr(time, "sleep", slept.append)
    record = cool_to(RESTS, thermal_spec(), Source(None))
    assert (record.start_c, record.end_c, record.reached) == (61.0, 49.0, True)
    assert len(slept) == 3


def test_t14_what_differs_between_runs_by_chance_is_no_heat() -> None:
    rng = random.Random(5)
    rising = 0
    for _ in range(400):
        runs = []
        for mean in (1 + rng.gauss(0, 0.02) for _ in range(8)):
            inner = [mean + rng.gauss(0, 0.001) for _ in range(10)]
            runs.append(Run(sum(inner) / 10, inner))
        found = trend_of(runs, 2)
        assert found is not None
        rising += bool(found.rises)
    assert rising <= 400 * 0.05
