"""Thermal series with one call each, of runs whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from builders import MACHINE, NOW, PROVENANCE, probe, session, spec

from orket_lib.analysis.thermal.profile import Findings, judge_runs
from orket_lib.analysis.thermal.runs import ThermalRun, runs_of_series
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.spec import CooldownSettings
from orket_lib.artifacts.measurements.thermal_series import (
    ThermalRepeat,
    ThermalSeries,
    ThermalSpec,
    ThermalTrace,
)
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.thermal_profile import ThermalThresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, RunStatus

RESTS = CooldownSettings(target_c=50.0, timeout_sec=60.0)
LIMITS = ThermalThresholds(
    cooldown_target_c=50.0, polluted_thermal_threshold_c=85.0, monotonic_window=2
)
NO_SENSOR = Null("NO_TEMPERATURE_SENSOR")
GENERATIONS = 5
_REST_S, _RUN_S = 20.0, 10.0


def thermal_spec(**changes: Any) -> ThermalSpec:
    """Return the spec of a series of six repeats."""
    own = spec().model_dump(
        exclude={"kind", "runs_per_task", "probe_runs", "on_server_death", "rerun_polluted"}
    )
    values = {"repeats": 6, "generations": GENERATIONS, "rests": RESTS}
    return ThermalSpec(**(own | values | changes))


def latencies(
    count: int, rise: float = 0.0, noise: float = 0.01, seed: int = 2, base: float = 1.0
) -> list[float]:
    """Return latencies with a rise in each step and noise, both as shares of the first."""
    rng = random.Random(seed)
    return [base * (1 + rise * step + rng.gauss(0, noise)) for step in range(count)]


def series(
    seconds: Sequence[float],
    heat: Sequence[float | Null] | float | Null = 60.0,
    rested: float | Null = 45.0,
    seen: Mapping[int, Sequence[Observation]] | None = None,
    inner_noise: float = 0.005,
    **changes: Any,
) -> ThermalSeries:
    """Return a series whose repeats take these seconds for a generation in the mean.

    Args:
        seconds: Of each repeat.
        heat: At the end of each repeat, or of all of them.
        rested: What every rest before them reached.
        seen: Observations of the first generation of a repeat, by its number.
        inner_noise: Of the generations inside of a repeat.
        changes: Fields of the series that differ.
    """
    rng = random.Random(0)
    ends = heat if isinstance(heat, Sequence) else [heat] * len(seconds)
    repeats = []
    for index, (mean, end_c) in enumerate(zip(seconds, ends, strict=True)):
        offsets = [rng.gauss(0, inner_noise) for _ in range(GENERATIONS)]
        middle = sum(offsets) / GENERATIONS
        taken = [mean * (1 + offset - middle) for offset in offsets]
        repeats.append(_repeat(index, taken, end_c, rested, (seen or {}).get(index, ())))
    chosen = thermal_spec(repeats=len(seconds))
    known = not isinstance(rested, Null)
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "status": RunStatus.MEASURED,
        "status_reason": None,
        "model_id": "nano",
        "quant_tag": "Q4_K_M",
        "measured_at": NOW,
        "finished_at": NOW,
        "boot_id": "boot",
        "hardware_fingerprint": MACHINE,
        "cpus": 4,
        "platform": {"kernel": "6.1"},
        "spec": chosen,
        "spec_digest": chosen.digest(),
        "session": session(),
        "host": None,
        "gpus": (),
        "gpus_absent": {},
        "repeats": repeats,
        "trace": trace(repeats, known) if repeats else None,
        "observations": (),
    }
    return ThermalSeries(**(values | changes))


def trace(repeats: Sequence[ThermalRepeat], with_heat: bool = True) -> ThermalTrace:
    """Return what was sampled of repeats: two looks in each rest and work, no power."""
    times = [
        (edge + shift * length, index if busy else None)
        for index, repeat in enumerate(repeats)
        for edge, length, busy in (
            (repeat.window_s[0] - _REST_S, _REST_S, False),
            (repeat.window_s[0], _RUN_S, True),
        )
        for shift in (0.25, 0.75)
    ]
    nothing = [None] * len(times)
    heat = [60.0 if busy is not None else 45.0 for _, busy in times]
    missing = {"power_w": "NO_ENERGY_COUNTER"}
    return ThermalTrace(
        sensor="cpu",
        t_s=[at_s for at_s, _ in times],
        repeat=[busy for _, busy in times],
        temperature_c=heat if with_heat else nothing,
        clock_mhz=[2000.0] * len(times),
        power_w=nothing,
        missing=missing if with_heat else missing | {"temperature_c": NO_SENSOR.reason},
    )


def runs(made: ThermalSeries) -> tuple[ThermalRun, ...]:
    """Return a series' repeats as runs."""
    return runs_of_series(made, "series.json")


def findings(made: ThermalSeries, lane: Lane = Lane.LAB, **limits: Any) -> Findings:
    """Return what the repeats of a series come to."""
    return judge_runs(runs(made), LIMITS.model_copy(update=limits), lane, "NOT_MEASURED")


def _repeat(
    index: int,
    taken: Sequence[float],
    end_c: float | Null,
    rested: float | Null,
    seen: Sequence[Observation],
) -> ThermalRepeat:
    begin = _REST_S + index * (_REST_S + _RUN_S)
    step = _RUN_S / len(taken)
    probes = [
        probe(
            index * len(taken) + place,
            window_s=(begin + place * step, begin + (place + 1) * step),
            chunk_ms=(seconds * 300, seconds * 1000),
            decode_seconds=seconds * 0.7,
            generation_tokens_per_second=127 / (seconds * 0.7),
            observations=tuple(seen) if place == 0 else (),
        )
        for place, seconds in enumerate(taken)
    ]
    return ThermalRepeat.of(
        index=index,
        cooldown=CooldownRecord.of(
            target_c=RESTS.target_c,
            sensor="cpu",
            start_c=end_c,
            end_c=rested,
            waited_s=_REST_S,
            reached=not isinstance(rested, Null) and rested <= RESTS.target_c,
        ),
        window_s=(begin, begin + _RUN_S),
        sensor="cpu",
        temperature_start_c=rested,
        temperature_end_c=end_c,
        probes=probes,
    )
