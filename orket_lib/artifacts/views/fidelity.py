"""Fidelity: how much a quant changes the baseline's answers, whether they are right or wrong."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record
from orket_lib.artifacts.views.kld import QuantDivergence


class Agreement(Measured):
    """How far answers are, word for word, those of another measurement. Nothing is graded.

    A task that only one of the two answered is one without agreement. An empty answer is none.
    """

    tasks: int = Field(description="that at least one of the two answered")
    same_answers: int = Field(description="tasks with the same normalised answer")
    same_answer_rate: Reading = Field(description="same_answers / tasks")
    same_answer_low: float | None = Field(None, description="of its 95 % interval")
    same_answer_high: float | None = None
    same_start_share: Reading = Field(
        description="mean share of an answer, in characters, before the first difference"
    )
    same_start_low: float | None = Field(None, description="of its 95 % interval")
    same_start_high: float | None = None


class FamilyAgreement(Agreement):
    """The agreement over the tasks of one family."""

    family: str


class Fidelity(Record):
    """How far one quant is from the baseline.

    The record of the baseline itself is the noise floor: its second run against its first, and
    its second measurement of probabilities against its first.
    """

    quant_tag: str
    baseline_quant: str
    agreement: Agreement
    by_family: tuple[FamilyAgreement, ...] = Field(
        (), description="families with answers to compare, by name"
    )
    kld: QuantDivergence | None = Field(
        None, description="divergence of its probabilities; null without `fidelity: kld`"
    )
