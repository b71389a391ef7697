"""The thermal profile, speed while the machine gets warm: `explorer.thermal_stability.v1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record, Share
from orket_lib.artifacts.views.frontier import Explorer, MeasuredWith
from orket_lib.vocabulary.reasons import Reason

ThermalReason = Literal[
    "THERMAL_END_ABOVE_THRESHOLD", "RUN_QUALITY_NOT_CLEAN", "COOLDOWN_TARGET_NOT_REACHED"
]
LatencyTrend = Literal["rising", "steady", "falling", "unknown"]


class ThermalThresholds(Record):
    """Limits above which a run is too hot, or a series shows heat soak."""

    cooldown_target_c: float
    polluted_thermal_threshold_c: float
    monotonic_window: Annotated[
        int, Field(gt=0, description="consecutive rises of latency that count as heat soak")
    ]


class ThermalPoint(Measured):
    """One run of the series."""

    run_index: int = Field(description="counted from 1")
    summary_path: str
    total_latency: Reading
    thermal_start_c: Reading
    thermal_end_c: Reading
    thermal_delta_c: Reading
    temperature_of: Literal["run", "sidecar"] = Field(
        "run", description="`sidecar`: measured by the hardware sidecar, not during the run"
    )
    polluted: bool
    cooldown_ok: bool | None = Field(description="null without a temperature")
    reasons: tuple[ThermalReason, ...]
    detail: str | None = Field(None, description="disturbances other than heat; null without any")


class RunSpeed(Measured):
    """Speed of one run of the series."""

    run_index: int = Field(description="counted from 1")
    decode_tps: Reading
    latency_error: Reading = Field(
        description="standard error of the run's latency over its generations, relative"
    )
    counted: bool = Field(
        description="whether it counts in the trend; not if disturbed by something other than heat"
    )


class ThermalSpeed(Measured):
    """Speed over the series, with or without a temperature sensor."""

    runs: tuple[RunSpeed, ...] = Field(description="in the order of the points")
    noise_ratio: Reading = Field(
        description="standard deviation of a run's latency without a trend, relative"
    )
    rise_ratio: Reading = Field(
        description="rise of latency from first to last run by the median slope, relative"
    )
    rise_p_value: Reading = Field(description="one-sided, of a rise over the whole series")
    least_rise_ratio: Reading = Field(
        description="smallest rise over `monotonic_window` steps that would have counted"
    )
    most_rise_ratio: Reading = Field(
        None, description="rise from first to last run that noise may hide (one-sided, 95 %)"
    )
    burst_decode_tps: Reading = Field(description="of the first run in the trend")
    steady_decode_tps: Reading = Field(description="mean of the last third of the trend")
    steady_over_burst: Reading


class ThrottlingEvent(Record):
    """Something slowed the hardware during a run."""

    run_index: int = Field(description="counted from 1")
    reason: Literal[Reason.THERMAL_THROTTLE, Reason.SW_POWER_CAP]
    evidence: str


class ThermalProfile(Measured, Explorer):
    """`thermal_profile.json`."""

    schema_version: Literal["explorer.thermal_stability.v1"] = "explorer.thermal_stability.v1"
    served: MeasuredWith | None = Field(None, description="null when nothing was served")
    thresholds: ThermalThresholds
    heat_soak_detected: bool | None = Field(
        description="null without a temperature, with too few runs, or if noise may hide it"
    )
    polluted_run_rate: Share
    cooldown_failure_rate: Share
    recommendation: str = Field(description="without a sensor: no thermal verdict")
    points: tuple[ThermalPoint, ...] = Field(description="in the order of the runs")
    latency_trend: LatencyTrend = Field(
        "unknown",
        description="beyond the noise of the runs, whatever the temperature; `unknown` also if the "
        "noise may hide a relevant rise",
    )
    speed: ThermalSpeed | None = Field(None, description="null in records of older versions")
    throttling: tuple[ThrottlingEvent, ...] = Field((), description="in the order of the runs")
