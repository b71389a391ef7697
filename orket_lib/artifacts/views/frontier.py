"""The frontier as explorers read it: `explorer.frontier.v1`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record
from orket_lib.artifacts.views.explorer import Explorer, MeasuredWith

UNKNOWN = "unknown"


class FrontierRow(Measured):
    """The figures of one quant that the frontier is drawn from."""

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
    """One model's frontier; `""` stands for "no such quant"."""

    model_id: str
    baseline_quant: str
    minimum_viable_quant: str
    best_value_quant: str
    measured_further: str | None = Field(
        None,
        description="the quant whose context and heat are measured: the decision's pick, or the "
        "baseline where the tasks can't tell the quants apart; null in older files",
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
