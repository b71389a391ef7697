"""What a row depends on besides its run report: limits and labels (`policy/row.json`)."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.vocabulary.statuses import Lane, VramProfile


class RowPolicy(Record):
    """Limits of a row. A rate above its limit pollutes the row; an equal one does not."""

    max_missing_telemetry_rate: float
    max_orchestration_overhead_ratio: float
    max_cpu_saturation_rate: float
    max_system_load_rate: float


class RowSettings(Record):
    """What a row depends on besides its run report, as the workflow renders it."""

    policy: RowPolicy
    execution_lane: Lane
    vram_profile: VramProfile
    provenance_ref: str
    quant_bits: dict[str, float]
    with_sidecar: bool = Field(
        False,
        description="whether the row takes a hardware sidecar; turning it off remakes the row",
    )
