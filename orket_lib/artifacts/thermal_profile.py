"""Whether a machine keeps its speed while it gets warm: `explorer.thermal_stability.v1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record, Share
from orket_lib.artifacts.explorer import Explorer, MeasuredWith

ThermalReason = Literal[
    "THERMAL_END_ABOVE_THRESHOLD", "RUN_QUALITY_NOT_CLEAN", "COOLDOWN_TARGET_NOT_REACHED"
]


class ThermalThresholds(Record):
    """What makes a run hot, and a series a heat soak."""

    cooldown_target_c: float
    polluted_thermal_threshold_c: float
    monotonic_window: Annotated[
        int, Field(gt=0, description="rises of latency, one after the other, that are a heat soak")
    ]


class ThermalPoint(Measured):
    """One run of the series."""

    run_index: int
    summary_path: str
    total_latency: Reading
    thermal_start_c: Reading
    thermal_end_c: Reading
    thermal_delta_c: Reading
    polluted: bool
    cooldown_ok: bool | None = Field(description="null without a temperature")
    reasons: tuple[ThermalReason, ...]


class ThermalProfile(Measured, Explorer):
    """`thermal_profile.json`."""

    schema_version: Literal["explorer.thermal_stability.v1"] = "explorer.thermal_stability.v1"
    served: MeasuredWith | None = Field(None, description="null when nothing was served")
    thresholds: ThermalThresholds
    heat_soak_detected: bool | None = Field(description="null without a temperature")
    polluted_run_rate: Share
    cooldown_failure_rate: Share
    recommendation: str = Field(description="without a sensor: that there is no thermal verdict")
    points: tuple[ThermalPoint, ...] = Field(description="in the order of the runs")
