"""From a model's rows to the verdicts on its quants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orket_lib.analysis.verdict.baseline import scores_of_row
from orket_lib.analysis.verdict.judged_tasks import JudgedTask
from orket_lib.analysis.verdict.quants import VerdictPolicy, Verdicts, judge_quants
from orket_lib.analysis.verdict.wants import Wants, check_wants
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.vocabulary.statuses import RunStatus

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
    quants = [
        scores_of_row(
            row,
            {
                item.test_id: item.adherence_score
                for item in graded_tasks(scores[row.quant_tag])
                if item.adherence_score is not None
            },
            include_invalid,
        )
        for row in rows
    ]
    tasks = {
        item.test_id: JudgedTask(item.test_id, "", item.family, str(item.level or ""))
        for row in rows
        for item in graded_tasks(scores[row.quant_tag])
    }
    baseline = next((item.quant for item in quants if item.scores is not None), None)
    return judge_quants(
        quants,
        list(tasks.values()),
        {
            row.quant_tag: check_wants(row, wants)
            for row in rows
            if row.status is RunStatus.MEASURED
        },
        {
            row.quant_tag: rate
            for row in rows
            if baseline
            and row.quant_tag != baseline
            and (rate := same_answer_rate(scores[row.quant_tag], scores[baseline])) is not None
        },
        policy,
    )


def graded_tasks(scores: Sequence[TaskScore]) -> list[TaskScore]:
    """Return the tasks that have an expected answer; the others count for agreement only."""
    return [item for item in scores if item.adherence_score is not None]


def same_answer_rate(quant: Sequence[TaskScore], baseline: Sequence[TaskScore]) -> float | None:
    """Return the share of the baseline's answers that a quant repeats; None if none are known.

    A task that the quant didn't answer is not the same answer (T10), unless none of its answers
    are known: a runner may report scores only.
    """
    theirs = {item.test_id: item.answer_sha256 for item in baseline if item.answer_sha256}
    shared = [item for item in quant if item.test_id in theirs]
    if not any(item.answer_sha256 for item in shared):
        return None
    return sum(item.answer_sha256 == theirs[item.test_id] for item in shared) / len(shared)
