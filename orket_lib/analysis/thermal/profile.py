"""From the runs of a series to its profile: heat soak, throttling, burst against steady state.

A rise of latency is looked for in every series. It is a heat soak where a temperature confirms it,
which is to say does not contradict it by falling; without a temperature it is only a trend.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from orket_lib.analysis.rows.quality import pollutes
from orket_lib.analysis.thermal.runs import ThermalRun
from orket_lib.analysis.thermal.trend import Run, Trend, median_slope, trend_of
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.thermal_profile import (
    LatencyTrend,
    RunSpeed,
    ThermalPoint,
    ThermalReason,
    ThermalSpeed,
    ThermalThresholds,
    ThrottlingEvent,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import exceeds

# Sensors tell whole degrees, so a fall of one is none.
_SENSOR_STEP_C = 1.0
_TOO_FEW_RUNS = Null("TOO_FEW_RUNS")
_THROTTLING = (Reason.THERMAL_THROTTLE, Reason.SW_POWER_CAP)


@dataclass(frozen=True)
class Findings:
    """What the runs of a series come to; the fields are those of the profile."""

    points: tuple[ThermalPoint, ...]
    heat_soak_detected: bool | None
    latency_trend: LatencyTrend
    speed: ThermalSpeed
    throttling: tuple[ThrottlingEvent, ...]
    polluted_run_rate: float | Null
    cooldown_failure_rate: float | Null


def judge_runs(
    runs: Sequence[ThermalRun], thresholds: ThermalThresholds, lane: Lane, why_none: str
) -> Findings:
    """Return what a series of runs comes to.

    Args:
        runs: In the order in which they were measured.
        thresholds: What is hot, cool, and a heat soak.
        lane: Says which disturbances count, in runs that don't say their own lane.
        why_none: Reason of the rates where there is no run.
    """
    points = tuple(map(_point, count(1), runs, [thresholds] * len(runs), [lane] * len(runs)))
    counted = [place for place, run in enumerate(runs) if _counts(run, lane)]
    trend = trend_of(
        [Run(_number(runs[place].latency), runs[place].inner) for place in counted],
        thresholds.monotonic_window,
    )
    cooled = [point.cooldown_ok for point in points if point.cooldown_ok is not None]
    return Findings(
        points=points,
        heat_soak_detected=_heat_soak(trend, [runs[place].end_c for place in counted]),
        latency_trend=_direction(trend),
        speed=_speed(runs, counted, trend, thresholds.monotonic_window, why_none),
        throttling=tuple(_throttling(runs)),
        polluted_run_rate=(
            statistics.fmean(point.polluted for point in points) if points else Null(why_none)
        ),
        cooldown_failure_rate=(
            statistics.fmean(not ok for ok in cooled)
            if cooled
            else Null("NO_TEMPERATURE" if points else why_none)
        ),
    )


def _point(number: int, run: ThermalRun, thresholds: ThermalThresholds, lane: Lane) -> ThermalPoint:
    reasons: list[ThermalReason] = []
    if not isinstance(run.end_c, Null) and exceeds(
        run.end_c, thresholds.polluted_thermal_threshold_c
    ):
        reasons.append("THERMAL_END_ABOVE_THRESHOLD")
    if not run.measured or any(pollutes(item, run.lane or lane) for item in run.observations):
        reasons.append("RUN_QUALITY_NOT_CLEAN")
    polluted = bool(reasons)
    cool = None
    if not isinstance(run.rested_c, Null):
        cool = not exceeds(run.rested_c, thresholds.cooldown_target_c)
        if not cool:
            reasons.append("COOLDOWN_TARGET_NOT_REACHED")
    return ThermalPoint.of(
        run_index=number,
        summary_path=run.path,
        total_latency=run.latency,
        thermal_start_c=run.start_c,
        thermal_end_c=run.end_c,
        thermal_delta_c=_difference(run.end_c, run.start_c),
        temperature_of="sidecar" if run.heat_of_sidecar else "run",
        polluted=polluted,
        cooldown_ok=cool,
        reasons=tuple(reasons),
        detail="; ".join(
            f"{item.reason.value}: {item.evidence}" for item in _disturbances(run, lane)
        )
        or None,
    )


def _counts(run: ThermalRun, lane: Lane) -> bool:
    """Tell whether a run is in the trend: what others did to it is no heat of ours.

    Throttling is what a series is there to find, so a run that was throttled stays.
    """
    if isinstance(run.latency, Null) or run.latency <= 0 or not run.measured:
        return False
    return not _disturbances(run, lane)


def _disturbances(run: ThermalRun, lane: Lane) -> list[Observation]:
    """Return what other than heat disturbed a run, the first observation of each reason."""
    first: dict[Reason, Observation] = {}
    for item in run.observations:
        if pollutes(item, run.lane or lane) and item.reason not in _THROTTLING:
            first.setdefault(item.reason, item)
    return list(first.values())


def _heat_soak(trend: Trend | None, heat: Sequence[float | Null]) -> bool | None:
    known = [(place, value) for place, value in enumerate(heat) if not isinstance(value, Null)]
    if trend is None or len(known) < 2 or _direction(trend) == "unknown":
        return None
    return any(not _falls(known, *stretch) for stretch in trend.rises)


def _falls(known: Sequence[tuple[int, float]], first: int, last: int) -> bool:
    """Tell whether the temperature falls over a stretch, or over all where that has too few."""
    inside = [item for item in known if first <= item[0] <= last]
    used = inside if len(inside) > 1 else known
    change = median_slope(used) * (used[-1][0] - used[0][0])
    return exceeds(-change, _SENSOR_STEP_C)


def _direction(trend: Trend | None) -> LatencyTrend:
    """Return what the latency does, unknown where a rise that matters may hide in its noise."""
    if trend is None:
        return "unknown"
    if trend.rises:
        return "rising"
    if trend.falls:
        return "falling"
    return "steady" if trend.steady else "unknown"


def _speed(
    runs: Sequence[ThermalRun],
    counted: Sequence[int],
    trend: Trend | None,
    window: int,
    why_none: str,
) -> ThermalSpeed:
    # What others did to a run is no steady state of ours.
    in_trend = [runs[place] for place in counted]
    rates = [run.decode_tps for run in in_trend]
    # Of three runs the last one; of fewer there is no steady state.
    burst = rates[0] if rates else Null("NO_RUN_COUNTS" if runs else why_none)
    steady = _mean(rates[-(len(rates) // 3) :]) if len(rates) > 2 else _TOO_FEW_RUNS
    return ThermalSpeed.of(
        runs=[
            RunSpeed.of(
                run_index=place + 1,
                decode_tps=run.decode_tps,
                latency_error=_error(run),
                counted=place in counted,
            )
            for place, run in enumerate(runs)
        ],
        noise_ratio=trend.noise.spread if trend else _TOO_FEW_RUNS,
        rise_ratio=trend.total_ratio if trend else _TOO_FEW_RUNS,
        rise_p_value=trend.p_value if trend else _TOO_FEW_RUNS,
        most_rise_ratio=trend.most_ratio if trend else _TOO_FEW_RUNS,
        least_rise_ratio=trend.least_ratio if trend and len(counted) > window else _TOO_FEW_RUNS,
        burst_decode_tps=burst,
        steady_decode_tps=steady,
        steady_over_burst=_quotient(steady, burst, {run.rate_source for run in in_trend}),
    )


def _error(run: ThermalRun) -> float | Null:
    if isinstance(run.latency, Null):
        return run.latency
    error = Run(run.latency, run.inner).error
    return Null("ONE_VALUE_ONLY") if error is None else error


def _throttling(runs: Sequence[ThermalRun]) -> Iterator[ThrottlingEvent]:
    """Yield each reason once for a run, with the first evidence for it."""
    for number, run in enumerate(runs, 1):
        for reason in _THROTTLING:
            seen = next((item for item in run.observations if item.reason is reason), None)
            if seen:
                yield ThrottlingEvent(run_index=number, reason=reason, evidence=seen.evidence)


def _quotient(steady: float | Null, burst: float | Null, clocks: set[str | None]) -> float | Null:
    for value in (burst, steady):
        if isinstance(value, Null):
            return value
    if len(clocks) > 1:
        return Null("CLOCKS_DIFFER")
    return _number(steady) / _number(burst)


def _difference(end: float | Null, start: float | Null) -> float | Null:
    if isinstance(end, Null):
        return end
    return start if isinstance(start, Null) else end - start


def _mean(values: Sequence[float | Null]) -> float | Null:
    """Return a mean; one with a missing part is missing."""
    unread = next((value for value in values if isinstance(value, Null)), None)
    return unread or statistics.fmean(map(_number, values))


def _number(value: float | Null) -> float:
    assert not isinstance(value, Null)
    return value
