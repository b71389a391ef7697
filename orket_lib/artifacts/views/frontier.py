"""The frontier, `explorer.frontier.v1`, and what all explorer artifacts share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Measured, Reading, Record
from orket_lib.vocabulary.statuses import Lane

UNKNOWN = "unknown"


class MeasuredWith(Record):
    """What can change between two records of the same config."""

    sha256: str | None = Field(description="of the local file that was served")
    digest: str | None = Field(description="reported by the server for a tag")
    build: str | None = Field(description="of the server")
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")


class Explorer(Labelled):
    """An artifact with a history in storage/."""

    model_id: str
    quant_tag: str
    sweep: str | None = Field(None, description="name of the sweep; null when it is not known")
    measured_lane: Lane | None = Field(
        None,
        description="lane that the runs were measured in, if an option labelled the artifact with "
        "another lane; else null",
    )

    @property
    def speeds_are_evidence(self) -> bool:
        """Whether speeds count: neither the label nor the lane of the runs is ci."""
        return Lane.CI not in (self.execution_lane, self.measured_lane)


class FrontierRow(Measured):
    """The figures of one quant on the frontier."""

    quant_tag: str
    quant_rank: Reading
    adherence_score: Reading
    total_latency: Reading
    generation_tokens_per_second: Reading
    peak_memory_rss: Reading
    peak_vram_mib: Reading
    valid: bool
    served: MeasuredWith | None = Field(None, description="null when nothing was served")


class FrontierSession(Record):
    """One model's frontier; `""` means that there is no such quant."""

    model_id: str
    baseline_quant: str
    minimum_viable_quant: str
    best_value_quant: str
    measured_further: str | None = Field(
        None,
        description="the quant for context sweep and thermal series: the decision's pick, or the "
        "baseline where the tasks can't separate the quants; null in older files",
    )
    recommendation: str
    quant_rows: tuple[FrontierRow, ...]


class FrontierExplorer(Explorer):
    """`frontier_explorer.json`."""

    schema_version: Literal["explorer.frontier.v1"] = "explorer.frontier.v1"
    model_id: str = Field(description="of the first session, or `unknown`")
    quant_tag: str = Field(description="the first session's minimum viable quant, or `unknown`")
    include_invalid: bool
    sessions: tuple[FrontierSession, ...]
