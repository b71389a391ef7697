"""What is claimed of a model's quants: a verdict on each, and the decision made from them."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.vocabulary.verdicts import (
    DecisionStatus,
    Prefer,
    QuantVerdict,
    WantName,
    WantStatus,
)


class WantCheck(Record):
    """One thing that the config wants of a quant, held against what was measured."""

    want: WantName = Field(description="its name in the config")
    limit: float
    value: float | None
    status: WantStatus
    because: str | None = Field(None, description="why it is not established")


class Verdict(Record):
    """What the tasks say of one quant against the baseline."""

    quant_tag: str
    baseline_quant: str | None
    verdict: QuantVerdict
    probability: float | None = Field(description="that it keeps the threshold; null: see `reason`")
    kept_share: float | None = Field(None, description="its median")
    kept_low: float | None = Field(None, description="of its 95 % interval")
    kept_high: float | None = None
    tasks: int = Field(0, description="that count, see `strata`")
    lost: float = Field(0.0, description="tasks that only the baseline got right")
    won: float = Field(0.0, description="tasks that only this quant got right")
    p_value: float | None = Field(None, description="exact two-sided McNemar test on the flips")
    further_tasks: int | None = Field(
        None, description="about how many more would probably decide; null when it is decided"
    )
    hangs_on: str | None = Field(
        None, description="the family of tasks without which another verdict would be likely"
    )
    same_answer_rate: float | None = Field(
        None, description="share of the tasks answered in the very words of the baseline"
    )
    wants: tuple[WantCheck, ...] = ()
    reason: str | None = Field(None, description="why it has no verdict")


class TaskStratum(Record):
    """Tasks of one kind, and whether the baseline masters them."""

    name: str
    tasks: int
    baseline: float = Field(description="its mean score")
    counted: int = Field(description="how many of them count in the verdicts")


class Decision(Record):
    """What to run, how sure that is, and what to type to be surer."""

    status: DecisionStatus
    pick: str | None
    probability: float | None = Field(description="that the pick keeps the threshold")
    prefer: Prefer = Field(description="as the config says")
    baseline_quant: str | None
    stands_in_for: str | None = Field(
        description="the config's baseline, where this machine can't hold or load it"
    )
    smallest_that_suffices: str | None
    best_that_fits: str | None
    smallest_decided: bool = Field(description="no smaller quant might suffice as well")
    smaller: tuple[str, ...] = Field(description="quants with fewer bits than the pick")
    larger: tuple[str, ...]
    stability: float | None = Field(
        description="share of new sweeps of the same kind that would pick the same"
    )
    runner_up: str | None = Field(description="what they would pick most often instead")
    why: str
    next: str | None = Field(description="what to type")
