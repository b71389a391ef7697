"""The status of a sweep: what is measured, what is missing and why, and what a run would cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record

CellState = Literal[
    "measured", "failed", "to be tried again", "partial", "not measured", "not asked"
]


class CellStatus(Record):
    """One round or batch of one (model, quant)."""

    model_id: str
    quant_tag: str
    round: int = 1
    batch: int | None = Field(None, description="of tasks; null when all are asked at once")
    state: CellState
    detail: str = Field(description="when it was measured, its progress, or what changed")
    store: str | None = Field(None, description="folder of its measurements")


class RunningSweep(Measured):
    """A sweep that runs now."""

    pid: int = Field(description="of Snakemake")
    now: str = Field(description="cell and step")
    measured: int = Field(description="finished jobs that load a model")
    measurements: int = Field(description="all jobs that load a model")
    seconds_left: Reading = Field(description="estimate")


class SweepStatus(Measured):
    """`orket status --json`."""

    schema_version: Literal["orket.status.v1"] = "orket.status.v1"
    sweep: str
    preflight: str
    canary: str
    cells: tuple[CellStatus, ...]
    jobs: dict[str, int] | None = Field(
        description="jobs that Snakemake would run, by rule; null when unknown"
    )
    jobs_note: str | None = Field(description="why the jobs are unknown")
    missing_runs: int = Field(description="graded runs that are not measured yet")
    expected_seconds: Reading = Field(description="estimate for what is still to be done")
    expected_from: str | None = Field(None, description="what the estimate is from")
    running: RunningSweep | None = Field(None, description="null when it does not run")
