"""The canary: a few tasks of one cell, repeated, before anything expensive begins.

The measurement (`storage/canary/<digest>/<measured_at>/canary.json`) holds the observations; the
verdict (`results/<sweep>/canary/verdict.json`) compares them with the thresholds. A verdict is
written whether it passes or fails; later rules read it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Measured, Reading, Record, Share, Time, volatile
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.run_report import Session
from orket_lib.vocabulary.statuses import Outcome, TokenStatus


class CanaryRun(Measured):
    """One run of a task, and one generation of a probe's size after it."""

    test_id: str
    run_index: int
    outcome: Outcome
    adherence_score: Share = Field(description="null for a task without an expected answer")
    token_status: TokenStatus
    internal_model_seconds: Reading = Field(description="of the probe-sized generation")
    client_seconds: float | None = Field(
        None, description="of that generation by our clock; null without chunks"
    )


class CanaryMeasurement(Artifact):
    """The canary's observations."""

    schema_version: Literal["orket.canary.v1"] = "orket.canary.v1"
    measured_at: Time = volatile("UTC")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str
    spec: CanarySpec
    spec_digest: str
    failure: str | None = Field(description="why the model could not be measured; null when it was")
    sessions: tuple[Session, ...]
    runs: tuple[CanaryRun, ...]
    disturbance: str | None = volatile(
        "of the runs by other programs, with the one that used the CPU most; null if there was "
        "none, and in older files",
        None,
    )


class CanaryPolicy(Record):
    """The thresholds of the canary."""

    enabled: bool
    latency_variance_threshold: float
    drop_first_run: bool
    max_missing_telemetry_rate: float
    max_age_hours: float
    on_latency: Literal["stop", "quality_only"] = Field(
        "stop", description="`quality_only`: a failure by latency alone only costs the speeds"
    )


class CanaryFigures(Measured):
    """The figures that the verdict compares with the thresholds."""

    adherence_variance: Reading = Field(description="max - min of a task's scores, the worst task")
    internal_latency_cv: Reading = Field(
        description="population stdev / mean of internal model seconds, the worst task"
    )
    latency_source: Literal["server", "client"] = Field(
        "server", description="`client`: our clock, because the server reports no times"
    )
    missing_telemetry_rate: Reading


class CanaryVerdict(Artifact):
    """Whether the machine is stable enough to measure on."""

    schema_version: Literal["orket.canary_verdict.v1"] = "orket.canary_verdict.v1"
    passed: bool
    failed_reasons: tuple[str, ...]
    explanations: tuple[str, ...] = Field(description="one sentence for each failed reason")
    quality_only: bool = Field(
        False, description="whether it failed by latency alone, which the policy allows"
    )
    policy: CanaryPolicy
    figures: CanaryFigures | None = Field(description="null when the canary is switched off")
    measured_at: Time | None = volatile("UTC; null when the canary is switched off")
    boot_id: str | None = volatile("of the machine's boot")
    model_ids: tuple[str, ...]
    quant_tags: tuple[str, ...]

    @property
    def may_measure(self) -> bool:
        """Tell whether cells may be measured, with or without speeds."""
        return self.passed or self.quality_only
