"""The data of a thermal plot: each quantity as points, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.base import Measured
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries, ThermalTrace
from orket_lib.artifacts.views.thermal_profile import RunSpeed, ThermalProfile
from orket_lib.vocabulary.nulls import Null

Point = tuple[float, float]

_TRACED = (("temperature_c", "{} °C"), ("clock_mhz", "{} clock\nMHz"), ("power_w", "{} power\nW"))
_SPEED = "decode\ntokens/s"
_WORDS = {
    "NO_TEMPERATURE_SENSOR": "this machine has no temperature sensor",
    "NO_FREQUENCY_COUNTER": "this machine doesn't report its clock",
    "NO_ENERGY_COUNTER": "this machine has no readable energy counter",
    "REMOTE_SERVER": "the model was served by another machine",
    "NOT_IN_SUMMARY": "sweep summaries don't contain it",
    "SIDECAR_OF_AN_EARLIER_RUN": "the sidecar was measured for an earlier run",
    "BUDGET_SPENT": "the budget had no time left for it, so nothing was run",
    "NO_QUANT_CHOSEN": "no quant is recommended, so nothing was run",
}


@dataclass(frozen=True)
class Column:
    """One quantity.

    Attributes:
        name: Name and unit.
        points: In the order of the x axis.
        means: Mean of each run, over its time span.
        single: Whether the points are separate measurements, not samples of a curve.
        missing: Why there are no points.
        note: A remark above the panel.
    """

    name: str
    points: Sequence[Point] = ()
    means: Sequence[tuple[Point, float]] = ()
    single: bool = False
    missing: str = ""
    note: str = ""


def columns_of(profile: ThermalProfile, series: ThermalSeries | None) -> list[Column]:
    """Return temperature, clock, power and speed of a profile, over time or by run."""
    if series is None:
        return [*_heat_of_runs(profile), _speed_of_runs(profile)]
    trace = series.trace
    why = series.status_reason or "nothing was sampled"
    if trace is None:
        names = (name.format("") for _, name in _TRACED)
        empty = [Column(name, missing=_worded(why)) for name in names]
    else:
        empty = [_traced(trace, field, name) for field, name in _TRACED]
    return [*empty, _speed_of_series(profile, series)]


def _traced(trace: ThermalTrace, field: str, name: str) -> Column:
    values = dict(trace.columns())[field]
    points = [
        (at_s, value) for at_s, value in zip(trace.t_s, values, strict=True) if value is not None
    ]
    return Column(
        name.format(trace.sensor.upper()), points, missing=_worded(trace.missing.get(field, ""))
    )


def _speed_of_series(profile: ThermalProfile, series: ThermalSeries) -> Column:
    """Return the decode rate of each generation, and the mean of each repeat."""
    points = [
        (sum(probe.window_s) / 2, rate)
        for repeat in series.repeats
        for probe in repeat.probes
        if (rate := probe.generation_tokens_per_second) is not None
    ]
    runs = profile.speed.runs if profile.speed else ()
    means = [
        (repeat.window_s, run.decode_tps)
        for repeat, run in zip(series.repeats, runs, strict=False)
        if run.decode_tps is not None
    ]
    why = _why(runs, "decode_tps") or series.status_reason or "nothing was measured"
    return Column(_SPEED, points, means, True, _worded(why), _steady(profile))


def _heat_of_runs(profile: ThermalProfile) -> list[Column]:
    heat = [
        (float(point.run_index), point.thermal_end_c)
        for point in profile.points
        if point.thermal_end_c is not None
    ]
    not_there = _worded("NOT_IN_SUMMARY")
    why = _worded(_why(profile.points, "thermal_end_c") or "NOT_IN_SUMMARY")
    return [
        Column("°C at the end", heat, single=True, missing=why),
        Column("clock\nMHz", missing=not_there),
        Column("power\nW", missing=not_there),
    ]


def _speed_of_runs(profile: ThermalProfile) -> Column:
    runs: Sequence[RunSpeed] = profile.speed.runs if profile.speed else ()
    points = [(float(run.run_index), run.decode_tps) for run in runs if run.decode_tps is not None]
    why = _worded(_why(runs, "decode_tps") or "nothing was measured")
    return Column(_SPEED, points, single=True, missing=why, note=_steady(profile))


def _why(items: Sequence[Measured], reading: str) -> str | None:
    return next((why for item in items if (why := item.null_reasons.get(reading))), None)


def _steady(profile: ThermalProfile) -> str:
    """Return the steady-state speed as a share of the first run's."""
    quotient = profile.speed.reading("steady_over_burst") if profile.speed else Null("")
    return "" if isinstance(quotient, Null) else f"steady state: {quotient:.0%} of the burst"


def _worded(why: str) -> str:
    return f"nothing to draw: {_WORDS.get(why, why)}"
