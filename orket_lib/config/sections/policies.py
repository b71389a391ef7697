"""Judging: labels, thresholds, and what canary and rows must satisfy.

The defaults are strict: looser thresholds belong in a config, with the reason beside them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.measurements.canary import CanaryPolicy
from orket_lib.artifacts.views.row import RowPolicy
from orket_lib.config.sections.fields import Rate, Section, TaskId, Words
from orket_lib.vocabulary.statuses import Lane, VramGuard, VramProfile
from orket_lib.vocabulary.verdicts import Prefer, WantName


class Labels(Section):
    """What the numbers are good for."""

    execution_lane: Annotated[
        Lane, Field(description="lab: speeds count; ci: they are recorded and are no evidence")
    ] = Lane.LAB
    vram_profile: Annotated[
        VramProfile,
        Field(
            description="share of the free memory that a model may take: safe 50 %, balanced 80 %, "
            "stress 95 %"
        ),
    ] = VramProfile.SAFE
    vram_guard: Annotated[
        VramGuard, Field(description="what the preflight does about a model that may take more")
    ] = VramGuard.WARN
    provenance_ref: Annotated[
        Words, Field(description="who asked for the sweep: a CI run, a ticket")
    ] = "local-run:manual"


class Thresholds(Section):
    """What the frontier and the KPI gate ask for."""

    adherence_threshold: Annotated[
        Rate, Field(description="ratio of the baseline quant's adherence")
    ] = 0.95
    latency_ceiling: Annotated[float, Field(gt=0, description="mean latency of a run, s")] = 10.0
    include_invalid: Annotated[
        bool, Field(description="let rows that are not valid into frontier and recommendation")
    ] = False
    prefer: Annotated[
        Prefer,
        Field(description="recommend the smallest quant that suffices, or the largest that fits"),
    ] = Prefer.SMALLEST
    wants: Annotated[
        dict[WantName, Annotated[float, Field(gt=0)]],
        Field(
            description="limits that a recommended quant has to meet: at least decode_tps tokens a "
            "second, at most ttft_ms, latency_s, memory_gib, vram_gib, ram_gib"
        ),
    ] = Field(default_factory=dict)
    kpi_policy: Annotated[str, Field(description="path of the KPI gate's limits")] = (
        "config/kpi_policy.json"
    )


class Canary(Section):
    """The same few tasks several times over, before anything else."""

    canary_runs: Annotated[int, Field(ge=0, description="0 = no canary")] = 5
    canary_task_limit: Annotated[int, Field(ge=1, description="tasks of the canary")] = 1
    canary_task_id_min: Annotated[
        TaskId, Field(description="lowest task id; without both of them, the range of the matrix")
    ] = None
    canary_task_id_max: Annotated[
        TaskId, Field(description="highest task id; without both of them, the range of the matrix")
    ] = None
    canary_latency_variance_threshold: Annotated[
        float, Field(ge=0, description="limit of the coefficient of variation")
    ] = 0.03
    canary_drop_first_run: Annotated[bool, Field(description="leave the first run's time out")] = (
        True
    )
    canary_max_missing_telemetry_rate: Annotated[
        Rate, Field(description="share of runs that may lack token counts or times")
    ] = 0.0
    canary_scope: Annotated[
        Literal["first", "each_model"],
        Field(description="measure it with the first model, or with each"),
    ] = "first"
    canary_max_age_hours: Annotated[
        float, Field(gt=0, description="an older canary must be measured again")
    ] = 24.0
    canary_closing: Annotated[
        bool, Field(description="measure it once more after the sweep, and report what drifted")
    ] = False

    @property
    def canary_policy(self) -> CanaryPolicy:
        """The thresholds that the canary's verdict depends on."""
        return CanaryPolicy(
            enabled=self.canary_runs > 0,
            latency_variance_threshold=self.canary_latency_variance_threshold,
            drop_first_run=self.canary_drop_first_run,
            max_missing_telemetry_rate=self.canary_max_missing_telemetry_rate,
            max_age_hours=self.canary_max_age_hours,
        )


class Rows(Section):
    """What a row may suffer and still count."""

    row_max_missing_telemetry_rate: Annotated[
        Rate, Field(description="share of runs that may lack token counts or times")
    ] = 0.0
    row_max_orchestration_overhead_ratio: Annotated[
        Rate, Field(description="mean share of a run's time that is not the model's")
    ] = 0.25
    row_max_cpu_saturation_rate: Annotated[
        Rate, Field(description="share of runs beside foreign CPU load")
    ] = 0.0
    row_max_system_load_rate: Annotated[
        Rate, Field(description="share of runs under a load above the number of cores")
    ] = 0.0

    @property
    def row_policy(self) -> RowPolicy:
        """The thresholds that a row's quality depends on."""
        return RowPolicy(
            max_missing_telemetry_rate=self.row_max_missing_telemetry_rate,
            max_orchestration_overhead_ratio=self.row_max_orchestration_overhead_ratio,
            max_cpu_saturation_rate=self.row_max_cpu_saturation_rate,
            max_system_load_rate=self.row_max_system_load_rate,
        )


class Baselines(Section):
    """What earlier sweeps have to do with this one; nothing, unless it is asked for."""

    baseline_compare: Annotated[
        bool,
        Field(description="hold the sweep against its baselines: regression.json, a verdict"),
    ] = False
    baseline_gate: Annotated[
        bool, Field(description="the same, and fail the sweep when it is worse")
    ] = False
    baseline_record: Annotated[
        bool,
        Field(description="make the valid cells baselines, but for those that got worse"),
    ] = False

    @property
    def compares_baselines(self) -> bool:
        """Whether there is a comparison, gating or not."""
        return self.baseline_compare or self.baseline_gate
