"""The context ceiling: `explorer.context_ceiling.v1`.

It is the largest context at which the recommended quant passes its quality and speed limits.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, Record
from orket_lib.artifacts.views.frontier import Explorer, MeasuredWith
from orket_lib.artifacts.views.verdict import WantCheck

ContextReason = Literal[
    "INVALID_ROW",
    "ADHERENCE_BELOW_MIN",
    "TTFT_MISSING",
    "TTFT_ABOVE_CEILING",
    "DECODE_TPS_MISSING",
    "DECODE_TPS_BELOW_FLOOR",
    "CONTEXT_NOT_LOADED",
]


class ContextThresholds(Record):
    """Limits that a context must meet; a limit of 0 or less is off."""

    adherence_min: float
    ttft_ceiling_ms: float
    decode_floor_tps: float
    include_invalid: bool


class DepthScore(Record):
    """Adherence over the tasks of one family at one depth."""

    family: str
    depth: float = Field(description="position of the asked fact in the text, 0 to 1")
    adherence_score: float
    tasks: int


class ContextSeen(Measured):
    """Further observations of a context, which no limit applies to."""

    filled_min: Reading = Field(description="smallest share of the context that a prompt filled")
    filled_mean: Reading = Field(description="mean share, by the server's token counts")
    cached_tokens: Reading = Field(
        description="prompt tokens of a follow-up that the server took from its cache, median"
    )
    peak_memory_rss: Reading = Field(description="of the server's process tree, MiB")
    peak_vram_mib: Reading
    depths: tuple[DepthScore, ...] = Field(
        (),
        description="adherence by position of the asked fact; empty for unfilled contexts",
    )


class NotTried(Record):
    """A context of the list that the search skipped."""

    context: int
    reason: str


class ContextPoint(Measured):
    """One context that was tried."""

    context: Annotated[int, Field(gt=0, description="tokens")]
    adherence_score: Reading
    right: float = Field(0.0, description="tasks answered right; 0 in older files")
    asked: int = Field(0, description="tasks; 0 if it was not measured, and in older files")
    adherence_low: float | None = Field(
        None, description="the model's adherence is at least this with 95 % certainty"
    )
    adherence_high: float | None = Field(None, description="and at most this")
    degradation_from_baseline: Reading = Field(
        description="adherence lost against the smallest context"
    )
    ttft_ms: Reading = Field(
        description="of a short follow-up on the filled, cached context, as in a chat"
    )
    ttft_cold_ms: Reading = Field(description="of the prompt that fills the context")
    decode_tps: Reading
    valid: bool
    passed: bool
    reasons: tuple[ContextReason, ...] = Field(description="why it did not pass")
    detail: str | None = Field(None, description="further explanation of the reasons")
    seen: ContextSeen | None = Field(None, description="null where nothing was measured")
    summary_path: str


class ContextCeiling(Measured, Explorer):
    """`context_ceiling.json`."""

    schema_version: Literal["explorer.context_ceiling.v1"] = "explorer.context_ceiling.v1"
    served: MeasuredWith | None = Field(None, description="null when nothing was served")
    thresholds: ContextThresholds
    safe_context_ceiling: Count = Field(
        description="largest context up to which all tried contexts passed; null if the smallest "
        "failed"
    )
    largest_passing_context: Count
    want: WantCheck | None = Field(
        None, description="the context that the config wants; null if it wants none"
    )
    recommendation: str
    points: tuple[ContextPoint, ...] = Field(description="smallest context first")
    not_tried: tuple[NotTried, ...] = Field((), description="skipped contexts, smallest first")
