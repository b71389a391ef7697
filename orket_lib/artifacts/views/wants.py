"""What meets the wants of a sweep, what nearly does, and what would have to give."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Record
from orket_lib.artifacts.views.verdict import WantCheck
from orket_lib.vocabulary.statuses import WantName, WantStatus


class WantedQuant(Record):
    """How one quant or variant stands to what is wanted."""

    quant_tag: str
    quality: WantStatus = Field(
        description="met by the baseline and what is KEPT, not met by what is LOST, borderline if "
        "it is UNDECIDED"
    )
    probability: float | None = Field(
        description="that it keeps the threshold; null for the baseline, and without a verdict"
    )
    because: str | None = Field(description="why its quality is not established")
    meets_all: bool = Field(description="quality and each want are met")
    checks: tuple[WantCheck, ...] = Field(description="of each want; empty if not measured")
    missed_by: dict[WantName, float] = Field(
        description="of wants that are not met, as a share of the limit; of a context: what the "
        "largest one that is met lacks"
    )


class Relaxation(Record):
    """The least that one want alone has to give, so that a quant meets all of them."""

    want: WantName
    limit: float = Field(description="as it is wanted")
    relaxed: float = Field(description="the limit that is nearest to it and met")
    quants: tuple[str, ...] = Field(description="what meets all wants then, most bits first")


class WantsAnswer(Record):
    """The answer for one model."""

    model_id: str
    wants: dict[WantName, float] = Field(description="with the latency ceiling")
    quants: tuple[WantedQuant, ...] = Field(description="all of the sweep, most bits first")
    meets: tuple[str, ...] = Field(description="quants that meet all, most bits first")
    nearly: tuple[str, ...] = Field(
        description="measured quants that are not LOST and don't meet all, the nearest first"
    )
    relaxations: tuple[Relaxation, ...] = Field(
        description="if no quant meets all: wants of which one alone may give"
    )
    sentences: tuple[str, ...] = Field(description="all this in words")


class SweepWants(Labelled):
    """`sweep_wants.json`."""

    schema_version: Literal["orket.wants.v1"] = "orket.wants.v1"
    source_summary: str
    models: tuple[WantsAnswer, ...] = Field(description="empty if the config wants nothing")
