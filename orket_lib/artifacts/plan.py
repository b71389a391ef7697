"""The plan: what a sweep would do, resolved, before anything is started."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.canary import CanaryPolicy
from orket_lib.artifacts.row import RowPolicy
from orket_lib.artifacts.spec import ControlSettings
from orket_lib.vocabulary.statuses import Lane, VramProfile


class PlannedCell(Record):
    """One (model, quant) and what serves it."""

    model_id: str
    quant_tag: str
    artifact: str = Field(description="file or tag")
    sha256: str | None
    spec_digest: str
    run_path: str
    measured: bool = Field(description="a measurement of exactly this is already in storage")


class PlannedTasks(Record):
    """Which tasks are asked."""

    path: str
    sha256: str = Field(description="of the selected tasks")
    tasks: int


class PlannedCanary(Record):
    """The canary as configured."""

    enabled: bool
    runs: int
    task_limit: int
    task_id_min: int | None
    task_id_max: int | None
    policy: CanaryPolicy


class Plan(Record):
    """`plan.json`."""

    schema_version: Literal["orket.plan.v1"] = "orket.plan.v1"
    sweep: str
    commit_sha: str | None
    dirty: bool | None
    provenance_ref: str
    provider: str
    machine: str
    models: tuple[str, ...]
    quants: tuple[str, ...]
    cells: tuple[PlannedCell, ...]
    task_bank: PlannedTasks
    experimental_controls: ControlSettings
    canary: PlannedCanary
    row_quality_policy: RowPolicy
    execution_lane: Lane
    vram_profile: VramProfile
    adherence_threshold: float
    latency_ceiling: float
    include_invalid: bool
    runs_per_quant: int
    expected_runs: int = Field(description="graded runs over all cells")
    summary_path: str
    report_path: str
