"""What of a sweep is there, what is not and why, and what a run would cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record

CellState = Literal["measured", "failed", "to be tried again", "partial", "not measured"]


class CellStatus(Record):
    """One round of one (model, quant)."""

    model_id: str
    quant_tag: str
    round: int = 1
    state: CellState
    detail: str = Field(description="when it was measured, how far it got, or what changed")
    store: str | None = Field(None, description="folder of its measurements")


class SweepStatus(Measured):
    """`orket status --json`."""

    schema_version: Literal["orket.status.v1"] = "orket.status.v1"
    sweep: str
    preflight: str
    canary: str
    cells: tuple[CellStatus, ...]
    jobs: dict[str, int] | None = Field(
        description="jobs that Snakemake would run, by rule; null when it can't tell"
    )
    jobs_note: str | None = Field(description="what Snakemake said instead")
    missing_runs: int = Field(description="graded runs that are not measured yet")
    expected_seconds: Reading = Field(description="time to measure them, from measured cells")
