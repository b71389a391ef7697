"""The limits within which a row counts as valid."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.config.sections.fields import Rate, Section, from_fields


class Rows(Section):
    """What a valid row tolerates; the defaults are strict."""

    row_max_missing_telemetry_rate: Annotated[
        Rate, Field(description="share of runs that may lack token counts or times")
    ] = 0.0
    row_max_orchestration_overhead_ratio: Annotated[
        Rate, Field(description="mean share of a run's time that is not spent in the model")
    ] = 0.25
    row_max_cpu_saturation_rate: Annotated[
        Rate, Field(description="share of runs during which other processes used the CPU")
    ] = 0.0
    row_max_system_load_rate: Annotated[
        Rate, Field(description="share of runs with a load average above the number of cores")
    ] = 0.0

    @property
    def row_policy(self) -> RowPolicy:
        """The thresholds that a row's quality depends on."""
        return from_fields(RowPolicy, self, "row_")
