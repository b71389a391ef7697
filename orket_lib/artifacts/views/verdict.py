"""Verdicts on a model's quants, the decision made from them, and what meets the wants."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Record
from orket_lib.vocabulary.statuses import (
    AnswerFailure,
    DecisionStatus,
    DropReason,
    Prefer,
    QuantVerdict,
    WantName,
    WantStatus,
)


class WantCheck(Record):
    """One requirement of the config, compared with the measurement."""

    want: WantName = Field(description="name in the config")
    limit: float
    value: float | None
    status: WantStatus
    because: str | None = Field(None, description="why it is not established, or borderline")


class LostTo(Record):
    """Tasks that a quant lost by failing in one way."""

    failure: AnswerFailure
    tasks: int


class Verdict(Record):
    """The verdict on one quant, from its tasks compared with the baseline."""

    quant_tag: str
    baseline_quant: str | None
    verdict: QuantVerdict
    probability: float | None = Field(description="that it keeps the threshold; else a `reason`")
    certain: float = Field(
        0.975, description="probability needed for KEPT; LOST needs the same of the opposite"
    )
    dropped: DropReason | None = Field(
        None, description="why it was not asked all batches of tasks; null when it was"
    )
    kept_share: float | None = Field(None, description="median")
    kept_low: float | None = Field(None, description="of its 95 % interval")
    kept_high: float | None = None
    tasks: int = Field(0, description="tasks that count, see `strata`")
    lost: float = Field(0.0, description="tasks that only the baseline got right")
    won: float = Field(0.0, description="tasks that only this quant got right")
    lost_to: tuple[LostTo, ...] = Field(
        (),
        description="of the lost tasks, those with failures that may have another cause than the "
        "quant",
    )
    p_value: float | None = Field(None, description="exact two-sided McNemar test on the flips")
    further_tasks: int | None = Field(
        None, description="estimated number of tasks that would decide; null when decided"
    )
    hangs_on: str | None = Field(
        None, description="the family of tasks without which the verdict would probably change"
    )
    wants: tuple[WantCheck, ...] = ()
    reason: str | None = Field(None, description="why it has no verdict")


class TaskStratum(Record):
    """Tasks of one kind, and how well the baseline solves them."""

    name: str = Field(
        description="family and level; shorter for pooled groups; after the bank if there are "
        "several"
    )
    tasks: int
    baseline: float = Field(description="mean score of the baseline")
    counted: int = Field(description="tasks that count in the verdicts")


class Decision(Record):
    """Which quant to run, how certain that is, and the next command."""

    status: DecisionStatus
    pick: str | None
    probability: float | None = Field(description="that the pick keeps the threshold")
    prefer: Prefer = Field(description="from the config")
    baseline_quant: str | None
    stands_in_for: str | None = Field(
        description="the configured baseline, if this machine can't hold or load it"
    )
    smallest_that_suffices: str | None
    best_that_fits: str | None
    smallest_decided: bool = Field(description="whether no smaller quant might also suffice")
    smaller: tuple[str, ...] = Field(description="quants with fewer bits than the pick")
    larger: tuple[str, ...]
    by_fidelity: tuple[str, ...] = Field(
        (),
        description="where the tasks can't order the quants: those below the baseline, the most "
        "faithful first",
    )
    stability: float | None = Field(
        description="share of simulated repeat sweeps with the same pick"
    )
    runner_up: str | None = Field(description="most frequent other pick")
    why: str
    next: str | None = Field(description="command to run next")


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
