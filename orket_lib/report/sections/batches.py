"""The report's section on batches: how many tasks each quant was asked, and why no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, ratio, shown
from orket_lib.vocabulary.units import duration

Cells = tuple[str, ...]


@dataclass(frozen=True)
class BatchesSection:
    """The batches of one model.

    Attributes:
        model_id: The model.
        asked: How much was asked, and in which time, in a sentence.
        quants: Quant, tasks asked, tasks in all, the certainty that its verdict needs, and why it
            was asked no further.
    """

    model_id: str
    asked: str
    quants: Sequence[Cells]


def batches_section(session: ModelSession) -> BatchesSection | None:
    """Return the section of a model; None if all tasks were asked at once."""
    batches = session.batches
    if batches is None:
        return None
    spent = ""
    if batches.seconds is not None and batches.budget_seconds is not None:
        within = f"of a budget of {duration(batches.budget_seconds)}"
        spent = f" Loading and asking took {duration(batches.seconds)} {within}."
    asked = f"{batches.runs} of at most {batches.runs_in_all} graded runs were asked.{spent}"
    needs = {item.quant_tag: f"{item.certain:g}" for item in session.verdicts}
    return BatchesSection(
        session.model_id,
        asked,
        [
            (
                row.quant_tag,
                str(row.tasks or 0),
                str(batches.tasks_in_all),
                needs.get(row.quant_tag, DASH),
                f"{row.dropped.reason.value}: {row.dropped.detail}" if row.dropped else DASH,
            )
            for row in session.per_quant
        ],
    )


def adherence_cell(row: SummaryRow, session: ModelSession, missing: str = DASH) -> str:
    """Return the adherence, with the number of tasks if other quants were asked more."""
    score = shown(row.reading("adherence_score"), ratio, missing)
    return f"{score} ({row.tasks})" if row.tasks and row.tasks < _most(session) else score


def asked_note(session: ModelSession) -> str | None:
    """Return what the number in parentheses means; None if no quant has one."""
    if not any(row.tasks and row.tasks < _most(session) for row in session.per_quant):
        return None
    return f"(n): adherence over n tasks; the others were asked {_most(session)}"


def _most(session: ModelSession) -> int:
    return max((row.tasks or 0 for row in session.per_quant), default=0)
