"""From the runs of a series to its profile: heat soak, throttling, burst and steady-state speed.

A rise of latency is a heat soak if the temperature does not fall meanwhile. Without a temperature
it is only a trend.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from operator import sub

from orket_lib.analysis.rows.quality import first_of_each, pollutes
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
from orket_lib.vocabulary.nulls import Null, all_of, apply
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import exceeds

# Sensors report whole degrees, so a fall of one degree may be rounding.
_SENSOR_STEP_C = 1.0
_TOO_FEW_RUNS = Null("TOO_FEW_RUNS")
_THROTTLING = (Reason.THERMAL_THROTTLE, Reason.SW_POWER_CAP)


@dataclass(frozen=True)
class Findings:
    """The findings from a series; the fields are those of the profile."""

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
    """Return the findings from a series of runs.

    Args:
        runs: In the order of measuring.
        thresholds: Limits for hot and cool, and the window for a heat soak.
        lane: Decides which disturbances count in runs without a lane.
        why_none: Null reason of the rates if there is no run.
    """
    points = tuple(map(_point, count(1), runs, [thresholds] * len(runs), [lane] * len(runs)))
    counted = [place for place, run in enumerate(runs) if _counts(run, lane)]
    trend = trend_of(
        [
            Run(latency, runs[place].inner)
            for place in counted
            if not isinstance(latency := runs[place].latency, Null)
        ],
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
        thermal_delta_c=apply(sub, run.end_c, run.start_c),
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
    """Tell whether a run counts in the trend: it was not disturbed by anything but heat.

    Throttled runs count, because a series is measured to find throttling.
    """
    if isinstance(run.latency, Null) or run.latency <= 0 or not run.measured:
        return False
    return not _disturbances(run, lane)


def _disturbances(run: ThermalRun, lane: Lane) -> tuple[Observation, ...]:
    """Return what disturbed a run apart from heat, the first observation of each reason."""
    return first_of_each(
        item
        for item in run.observations
        if pollutes(item, run.lane or lane) and item.reason not in _THROTTLING
    )


def _heat_soak(trend: Trend | None, heat: Sequence[float | Null]) -> bool | None:
    known = [(place, value) for place, value in enumerate(heat) if not isinstance(value, Null)]
    if trend is None or len(known) < 2 or _direction(trend) == "unknown":
        return None
    return any(not _falls(known, *stretch) for stretch in trend.rises)


def _falls(known: Sequence[tuple[int, float]], first: int, last: int) -> bool:
    """Tell whether the temperature falls over a stretch, or over all runs if it has too few."""
    inside = [item for item in known if first <= item[0] <= last]
    used = inside if len(inside) > 1 else known
    change = median_slope(used) * (used[-1][0] - used[0][0])
    return exceeds(-change, _SENSOR_STEP_C)


def _direction(trend: Trend | None) -> LatencyTrend:
    """Return the trend of the latency; unknown if the noise may hide a rise that matters."""
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
    # Disturbed runs don't show the steady state.
    in_trend = [runs[place] for place in counted]
    rates = [run.decode_tps for run in in_trend]
    burst = rates[0] if rates else Null("NO_RUN_COUNTS" if runs else why_none)
    # The steady state is the last third; with fewer than three runs there is none.
    last_third = rates[-(len(rates) // 3) :] if len(rates) > 2 else []
    steady = all_of(last_third, statistics.fmean, _TOO_FEW_RUNS)
    clocks = {run.rate_source for run in in_trend}
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
        steady_over_burst=apply(
            lambda start, end: Null("CLOCKS_DIFFER") if len(clocks) > 1 else end / start,
            burst,
            steady,
        ),
    )


def _error(run: ThermalRun) -> float | Null:
    if isinstance(run.latency, Null):
        return run.latency
    error = Run(run.latency, run.inner).error
    return Null("ONE_VALUE_ONLY") if error is None else error


def _throttling(runs: Sequence[ThermalRun]) -> Iterator[ThrottlingEvent]:
    """Yield each throttling reason once per run, with its first evidence."""
    for number, run in enumerate(runs, 1):
        for reason in _THROTTLING:
            seen = next((item for item in run.observations if item.reason is reason), None)
            if seen:
                yield ThrottlingEvent(run_index=number, reason=reason, evidence=seen.evidence)
