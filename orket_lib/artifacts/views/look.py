"""A look between two batches of tasks: which quants are decided, and what was spent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from orket_lib.artifacts.base import Artifact, Record, Time
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.vocabulary.statuses import Lane, Prefer, QuantVerdict, WantName


class LookSettings(Record):
    """`policy/looks.json`: what looks depend on besides the answers."""

    models: dict[str, str] = Field(description="model id by folder name")
    quants: dict[str, tuple[str, ...]] = Field(description="of each model, by its folder name")
    baselines: dict[str, str] = Field(
        description="of each model the quant with the most bits, which is asked first"
    )
    ends: tuple[int, ...] = Field(
        min_length=1, description="tasks that have been asked after each batch"
    )
    runs_per_task: int
    certain_early: float = Field(description="probability that a verdict needs at early looks")
    certain_last: float = Field(description="the same at the last look")
    budget_seconds: float | None = Field(description="for each model; null = no budget")
    adherence_threshold: float
    latency_ceiling: float
    include_invalid: bool
    prefer: Prefer
    wants: dict[WantName, float]
    execution_lane: Lane

    @model_validator(mode="after")
    def _every_model_has_its_quants(self) -> LookSettings:
        if not self.models.keys() == self.quants.keys() == self.baselines.keys():
            raise ValueError("`models`, `quants` and `baselines` must name the same folders")
        return self


class LookedQuant(Record):
    """One quant at a look."""

    quant_tag: str
    verdict: QuantVerdict = Field(description="at this look; UNDECIDED for the baseline")
    probability: float | None = Field(
        description="that it keeps the threshold; null for the baseline and without a verdict"
    )
    tasks: int = Field(description="tasks that it was asked so far")
    dropped: Dropped | None = Field(description="why it is asked no further batch; null when it is")


class Look(Artifact):
    """`looks/<model>/<batch>.json`: the state of a model after a batch."""

    schema_version: Literal["orket.look.v1"] = "orket.look.v1"
    model_id: str
    batch: int = Field(description="number of the batch; 0 = the first batch of the baseline only")
    batches: int = Field(description="how many there are at most")
    tasks: int = Field(description="tasks in the batches so far")
    tasks_in_all: int = Field(description="tasks in all batches")
    runs_per_task: int
    certain: float = Field(description="probability that a verdict needs at this look")
    seconds: float | None = Field(
        description="time that this sweep measured the model so far; null without a budget"
    )
    budget_seconds: float | None = Field(description="for this model; null = no budget")
    quants: tuple[LookedQuant, ...] = Field(description="most bits first")

    def dropped(self, quant: str) -> Dropped | None:
        """Return why a quant is asked no further batch; None if it is.

        After batch 0 the other quants are unknown, and are asked.
        """
        found = next((item for item in self.quants if item.quant_tag == quant), None)
        return found.dropped if found else None


class Started(Record):
    """`started.json`: when a sweep with a budget was started for the first time."""

    started_at: Time = Field(description="UTC; measurements from before cost it nothing")
