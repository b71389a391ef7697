"""The recommendation of a thermal profile, in sentences."""

from __future__ import annotations

from collections import Counter

from orket_lib.analysis.thermal.profile import Findings
from orket_lib.analysis.thermal.trend import FEWEST_RUNS
from orket_lib.artifacts.views.thermal_profile import ThermalThresholds
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane

_TRENDS = {
    "rising": "latency rises",
    "steady": "latency is steady",
    "falling": "latency falls",
    "unknown": "latency can't be judged",
}
_THROTTLED = {
    Reason.THERMAL_THROTTLE: "heat throttled",
    Reason.SW_POWER_CAP: "the power limit held back",
}


def thermal_recommendation(
    name: str, findings: Findings, thresholds: ThermalThresholds, lane: Lane, failure: str | None
) -> str:
    """Return the recommendation of a profile.

    Args:
        name: Model and quant.
        findings: Findings from its runs.
        thresholds: The limits.
        lane: Decides whether speeds count.
        failure: Why the series was not measured to its end; None if it was.
    """
    parts = [_verdict(findings)]
    if findings.points:
        parts += [*_speeds(findings), *_disturbances(findings, thresholds)]
    if failure:
        parts.append(f"the series is incomplete: {failure}")
    sentence = f"{name}: {'; '.join(part for part in parts if part)}."
    return f"{sentence} Lane ci: speeds are not evidence." if lane is Lane.CI else sentence


def nothing_to_run(model_id: str, why: str) -> str:
    """Return the recommendation where there was no quant to measure."""
    return f"{model_id}: no thermal series: {why}."


def _verdict(findings: Findings) -> str:
    runs = len(findings.points)
    if not runs:
        return "no run was measured, so there is no thermal verdict"
    if runs == 1:
        return "one run shows no trend; a thermal verdict needs three or more"
    trend = _TRENDS[findings.latency_trend] + _amount(findings)
    if findings.heat_soak_detected:
        return f"not thermally stable: {trend} over {runs} runs, and the temperature does not fall"
    if all(point.thermal_end_c is None for point in findings.points):
        missing = _why_no_temperature(findings)
        return f"no temperature ({missing}), so the thermal verdict is unavailable; {trend}"
    if findings.latency_trend == "unknown":
        counted = sum(run.counted for run in findings.speed.runs)
        if counted < FEWEST_RUNS:
            return f"no thermal verdict: only {counted} of {runs} runs count, a trend needs three"
        return f"no thermal verdict over {runs} runs: {trend}; it needs more or less noisy runs"
    if findings.heat_soak_detected is None:
        return f"too few temperatures for a thermal verdict; {trend}"
    if findings.latency_trend == "rising":
        return f"no heat soak: {trend}, but the temperature falls meanwhile: look for another cause"
    hot = any("THERMAL_END_ABOVE_THRESHOLD" in point.reasons for point in findings.points)
    throttled = any(item.reason is Reason.THERMAL_THROTTLE for item in findings.throttling)
    stable = "no heat soak" if hot or throttled else "thermally stable"
    return f"{stable} over {runs} runs: {trend}"


def _amount(findings: Findings) -> str:
    """Return how much the latency rises, or the largest rise that the noise could hide."""
    speed = findings.speed
    rise, noise, hidden = speed.rise_ratio, speed.noise_ratio, speed.most_rise_ratio
    if rise is None or noise is None or hidden is None:
        return ""
    whole = f"by {abs(rise):.1%} from first run to last (median slope; noise of a run {noise:.1%})"
    if findings.latency_trend == "rising":
        return f" {whole}" if rise > 0 else f" for some runs in a row, though it falls {whole}"
    if findings.latency_trend == "falling":
        return f" {whole}" if rise < 0 else f" for some runs in a row, though it rises {whole}"
    if findings.latency_trend == "unknown":
        return f": a rise of up to {hidden:.0%} may hide in its noise of {noise:.1%}"
    return f" within its noise of {noise:.1%} (a rise of more than {hidden:.1%} is ruled out)"


def _why_no_temperature(findings: Findings) -> str:
    why = Counter(point.null_reasons["thermal_end_c"] for point in findings.points)
    return ", ".join(sorted(why))


def _speeds(findings: Findings) -> list[str]:
    speed = findings.speed
    quotient, burst, steady = (
        speed.steady_over_burst,
        speed.burst_decode_tps,
        speed.steady_decode_tps,
    )
    if quotient is None or burst is None or steady is None:
        return []
    return [f"steady state {steady:.4g} t/s is {quotient:.0%} of the burst's {burst:.4g} t/s"]


def _disturbances(findings: Findings, thresholds: ThermalThresholds) -> list[str]:
    parts = []
    for reason, words in _THROTTLED.items():
        runs = [event.run_index for event in findings.throttling if event.reason is reason]
        if runs:
            parts.append(f"{words} {_runs(runs)}")
    named = (
        ("THERMAL_END_ABOVE_THRESHOLD", f"above {thresholds.polluted_thermal_threshold_c:g} °C"),
        (
            "COOLDOWN_TARGET_NOT_REACHED",
            f"not cooled to {thresholds.cooldown_target_c:g} °C before",
        ),
    )
    for label, words in named:
        runs = [point.run_index for point in findings.points if label in point.reasons]
        if runs:
            parts.append(f"{words}: {_runs(runs)}")
    runs = [point.run_index for point in findings.points if point.temperature_of == "sidecar"]
    if runs:
        parts.append(f"temperatures by their sidecars: {_runs(runs)}")
    # Throttled runs stay in the trend, and are listed above.
    others = [run.run_index for run in findings.speed.runs if not run.counted]
    return [*parts, f"not in the trend: {_runs(others)}"] if others else parts


def _runs(places: list[int]) -> str:
    listed = ", ".join(map(str, places))
    return f"run {listed}" if len(places) == 1 else f"runs {listed}"
