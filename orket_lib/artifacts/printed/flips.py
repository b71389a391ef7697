"""The tasks that quants lost or won against the baseline, with the answers: `orket flips`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.views.run_report import Check


class QuantAnswer(Record):
    """What one quant answered to a task."""

    quant_tag: str
    right: bool = Field(description="every run passed")
    answer: str | None = Field(
        description="of the first failed run, else of the first one; null when there was none"
    )
    detail: str = Field("", description="why there was none")
    checks: tuple[Check, ...] = ()


class FlippedTask(Record):
    """A task that the baseline solves and another quant doesn't, or the other way round."""

    test_id: str
    family: str
    level: int
    prompt: str | None = Field(description="null when the task bank has no such task any more")
    right_answer: str | None = Field(description="null also where the graders don't name one")
    lost: tuple[str, ...] = Field(description="quants that lost it, most bits first")
    won: tuple[str, ...]
    answers: tuple[QuantAnswer, ...] = Field(description="baseline first, then most bits first")


class ModelFlips(Record):
    """The flipped tasks of one model."""

    model_id: str
    baseline_quant: str | None
    quants: tuple[str, ...] = Field(description="that are compared with it, most bits first")
    tasks: tuple[FlippedTask, ...] = Field(
        description="those first that the quants with the most bits lost; won ones last"
    )


class Flips(Record):
    """`orket flips --json`."""

    schema_version: Literal["orket.flips.v1"] = "orket.flips.v1"
    models: tuple[ModelFlips, ...]
