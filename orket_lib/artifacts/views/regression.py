"""A sweep compared with its baselines (`regression.json`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Measured, Reading, Record

Metric = Literal[
    "adherence_score",
    "fastest_latency",
    "ttft_ms",
    "prompt_tokens_per_second",
    "generation_tokens_per_second",
    "peak_memory_rss",
    "peak_vram_mib",
]


class Change(StrEnum):
    """How a metric changed."""

    REGRESSED = "REGRESSED"
    IMPROVED = "IMPROVED"
    SAME = "SAME"
    UNDECIDED = "UNDECIDED"


class TaskFinding(Record):
    """A task that changed; it is paired with itself in the baselines."""

    test_id: str
    metric: Metric
    change: Change
    before: float = Field(description="typical value of the baselines, or of the named one")
    now: float
    effect: float = Field(
        description="adherence: difference; latency: relative, beyond the change of all tasks"
    )


class MetricVerdict(Measured):
    """One metric of one cell, compared with its baselines."""

    metric: Metric
    verdict: Change
    gates: bool = Field(description="whether a regression of it fails the sweep")
    before: Reading = Field(description="typical value of the baselines")
    now: Reading
    effect: Reading = Field(description="relative change; for adherence the difference")
    low: Reading = Field(description="lower end of the 95 % interval of the effect")
    high: Reading = Field(description="upper end of the interval")
    noise: Reading = Field(description="spread of the baselines, same unit as the effect")
    p_value: Reading = Field(description="two-sided")
    p_adjusted: Reading = Field(
        description="for all comparisons of adherence, or of the other metrics, in the sweep (Holm)"
    )
    tasks: int = Field(description="paired tasks; 0 for a figure of the whole cell")
    findings: tuple[TaskFinding, ...] = ()


class UnresolvedTasks(Record):
    """Tasks that were not compared."""

    status: str = Field(description="why, such as NO_BASELINE or NOT_IN_ALL_BASELINES")
    test_ids: tuple[str, ...]


class CellRegression(Record):
    """One (model, quant), compared with its baselines."""

    model_id: str
    quant_tag: str
    status: str = Field(description="`OK`, or why the cell was not compared")
    detail: str = Field("", description="explanation of the status")
    test_run_id: str | None = Field(description="of the measurement; null without one")
    baselines: tuple[str, ...] = Field(description="what it was compared with, oldest first")
    changed: tuple[str, ...] = Field(
        (), description="what differs from the newest baseline: model_hash, build"
    )
    unresolved: tuple[UnresolvedTasks, ...] = ()
    metrics: tuple[MetricVerdict, ...] = ()


class Regression(Labelled):
    """`regression.json`: a verdict, which the last rule of the workflow turns into a failure."""

    schema_version: Literal["orket.regression.v1"] = "orket.regression.v1"
    summary_path: str
    alpha: float = Field(
        description="chance of a false finding about adherence, and of one about the other metrics"
    )
    smallest_change: float = Field(description="smaller relative changes are ignored")
    comparisons: int = Field(description="metrics of cells that were tested")
    cells: tuple[CellRegression, ...]
    verdict: Literal["PASS", "FAIL", "NOT_JUDGED"]
    failures: tuple[str, ...] = Field(description="a sentence for each failing regression")
