"""The context ceiling: `explorer.context_ceiling.v1`, and `orket.context_quants.v1` of all quants.

It is the largest context at which the recommended quant passes its quality and speed limits.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Labelled, Measured, Reading, Record
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


CeilingVerdict = Literal["lower", "same", "higher", "undecided"]
LengthVerdict = Literal["more", "less", "undecided"]


class PairedDrop(Record):
    """What a quant loses against the baseline at a context, over the tasks that both were asked."""

    tasks: int
    lost: float = Field(description="right in the baseline only")
    won: float = Field(description="right in the quant only")
    drop: float = Field(description="of the share of right answers; negative = the quant is better")
    low: float = Field(
        description="lower end of its interval; those of all quants hold together with 95 %"
    )
    high: float


class CeilingComparison(Record):
    """The ceiling of a quant against that of the baseline."""

    verdict: CeilingVerdict = Field(
        description="`lower` and `higher` if the paired interval has no 0 where one of the two "
        "failed, or if it can't be loaded there; `same` if it is within 1 - adherence_min at their "
        "ceiling"
    )
    context: int | None = Field(description="where they are compared; null without answers of both")
    paired: PairedDrop | None = Field(description="at that context")
    because: str


class FamilyAtContext(Record):
    """Adherence over the tasks of one family at one context."""

    family: str
    context: int
    right: float
    asked: int
    low: float = Field(description="the adherence is at least this with 95 % certainty")
    high: float = Field(description="and at most this")
    paired: PairedDrop | None = Field(description="null for the baseline, or without its answers")


class LengthEffect(Record):
    """Whether a quant loses more against the baseline at a long context than at a short one."""

    family: str = Field(description="`all` = over all families")
    short: int
    long: int
    at_short: PairedDrop
    at_long: PairedDrop
    more: float = Field(description="drop at the long context less the drop at the short one")
    low: float = Field(description="lower end of its 95 % interval")
    high: float
    verdict: LengthVerdict = Field(description="`more` or `less` only if the interval has no 0")


class QuantContexts(Measured):
    """The contexts of one quant."""

    quant_tag: str
    safe_context_ceiling: Count = Field(
        description="largest context up to which all tried contexts passed; null if the smallest "
        "failed"
    )
    points: tuple[ContextPoint, ...] = Field(description="smallest context first")
    not_tried: tuple[NotTried, ...]
    ceiling: CeilingComparison | None = Field(description="null for the baseline")
    families: tuple[FamilyAtContext, ...]
    lengths: tuple[LengthEffect, ...] = Field(
        description="none with fewer than two contexts that the baseline was asked, too"
    )


class ContextQuants(Labelled):
    """`context_quants.json`."""

    schema_version: Literal["orket.context_quants.v1"] = "orket.context_quants.v1"
    model_id: str
    sweep: str | None
    baseline_quant: str | None = Field(description="the largest with answers; null without any")
    thresholds: ContextThresholds
    conclusions: tuple[str, ...] = Field(description="the ceilings, and whether length matters")
    quants: tuple[QuantContexts, ...] = Field(description="the largest first")
