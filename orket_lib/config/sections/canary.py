"""The canary: the same few tasks several times, before anything else is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.measurements.canary import CanaryPolicy
from orket_lib.config.sections.fields import Rate, Section, TaskId, from_fields


class Canary(Section):
    """Whether the machine is steady enough to measure on."""

    canary_runs: Annotated[int, Field(ge=0, le=1000, description="0 = no canary")] = 5
    canary_task_limit: Annotated[int, Field(ge=1, le=1000, description="tasks of the canary")] = 1
    canary_task_id_min: Annotated[
        TaskId, Field(description="lowest task id; if both are null, the range of the matrix")
    ] = None
    canary_task_id_max: Annotated[
        TaskId, Field(description="highest task id; if both are null, the range of the matrix")
    ] = None
    canary_latency_variance_threshold: Annotated[
        float, Field(ge=0, description="limit of the coefficient of variation")
    ] = 0.03
    canary_drop_first_run: Annotated[
        bool, Field(description="ignore the latency of the first run")
    ] = True
    canary_max_missing_telemetry_rate: Annotated[
        Rate, Field(description="share of runs that may lack token counts or times")
    ] = 0.0
    canary_scope: Annotated[
        Literal["first", "each_model"],
        Field(description="run it with the first model only, or with each model"),
    ] = "first"
    canary_max_age_hours: Annotated[
        float, Field(gt=0, description="an older canary is measured again")
    ] = 24.0
    canary_on_latency: Annotated[
        Literal["stop", "quality_only"],
        Field(
            description="if only the latency of the canary's runs varies too much: stop, or "
            "measure quality and leave speeds out"
        ),
    ] = "stop"
    canary_closing: Annotated[
        bool, Field(description="run it once more after the sweep and report the drift")
    ] = False

    @property
    def canary_policy(self) -> CanaryPolicy:
        """The thresholds that the canary's verdict depends on."""
        return from_fields(CanaryPolicy, self, "canary_", enabled=self.canary_runs > 0)
