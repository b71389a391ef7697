"""From a model's rows to the verdicts on its quants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orket_lib.analysis.verdict.baseline import QuantScores, scores_of_row
from orket_lib.analysis.verdict.judged_tasks import JudgedTask
from orket_lib.analysis.verdict.quants import VerdictPolicy, Verdicts, judge_quants
from orket_lib.analysis.verdict.wants import Wants, check_wants
from orket_lib.artifacts.views.row import RowMetrics, TaskScore

Scores = Mapping[str, Sequence[TaskScore]]  # by quant tag


def judge_rows(
    rows: Sequence[RowMetrics],
    scores: Scores,
    wants: Wants,
    policy: VerdictPolicy,
    include_invalid: bool,
) -> Verdicts:
    """Return the verdicts on a model's quants.

    Args:
        rows: Rows of all quants of the config, most bits first.
        scores: The task scores of each quant.
        wants: Limits in addition to the threshold.
        policy: Threshold and preference.
        include_invalid: Also judge answers that may have been disturbed.
    """
    quants = quant_scores(rows, scores, include_invalid)
    baseline = next((item.quant for item in quants if item.scores is not None), None)
    return judge_quants(
        quants,
        judged_tasks([scores[row.quant_tag] for row in rows]),
        {row.quant_tag: check_wants(row, wants) for row in rows if row.adherence_score is not None},
        {
            row.quant_tag: rate
            for row in rows
            if baseline
            and row.quant_tag != baseline
            and (rate := same_answer_rate(scores[row.quant_tag], scores[baseline])) is not None
        },
        policy,
    )


def quant_scores(
    rows: Sequence[RowMetrics], scores: Scores, include_invalid: bool
) -> list[QuantScores]:
    """Return the scores of each row, or why they can't be used.

    Args:
        rows: Rows of a model.
        scores: The task scores of each quant.
        include_invalid: Also use answers that may have been disturbed.
    """
    return [
        scores_of_row(
            row,
            {item.test_id: item.adherence_score for item in scores[row.quant_tag]},
            include_invalid,
        )
        for row in rows
    ]


def judged_tasks(scores: Iterable[Sequence[TaskScore]]) -> list[JudgedTask]:
    """Return each task that any quant was asked, with its family and level."""
    tasks = {
        item.test_id: JudgedTask(item.test_id, "", item.family, str(item.level or ""))
        for of_quant in scores
        for item in of_quant
    }
    return list(tasks.values())


def same_answer_rate(quant: Sequence[TaskScore], baseline: Sequence[TaskScore]) -> float | None:
    """Return the share of tasks with identical answers; None if no answers are known."""
    theirs = {item.test_id: item.answer_sha256 for item in baseline}
    same = [
        item.answer_sha256 == theirs[item.test_id]
        for item in quant
        if item.answer_sha256 and theirs.get(item.test_id)
    ]
    return sum(same) / len(same) if same else None
