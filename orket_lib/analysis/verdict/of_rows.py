"""From a model's rows to the verdicts on its quants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from orket_lib.analysis.verdict.baseline import QuantScores, baseline_among, scores_of_row
from orket_lib.analysis.verdict.judged_tasks import JudgedTask
from orket_lib.analysis.verdict.quants import VerdictPolicy, Verdicts, judge_quants
from orket_lib.analysis.verdict.wants import Wants, check_wants
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.verdict import LostTo
from orket_lib.vocabulary.statuses import ADVICE

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
    used = baseline_among(quants).used
    baseline = next((row for row in rows if used and row.quant_tag == used.quant), None)
    verdicts = judge_quants(
        quants,
        judged_tasks([scores[row.quant_tag] for row in rows]),
        {row.quant_tag: check_wants(row, wants) for row in rows if row.adherence_score is not None},
        policy,
    )
    if baseline is None or verdicts.judging is None:
        return verdicts
    counted = set(verdicts.judging.counted)
    return replace(
        verdicts,
        verdicts=tuple(
            item
            if item.probability is None
            else item.model_copy(
                update={
                    "lost_to": lost_to(scores[item.quant_tag], scores[baseline.quant_tag], counted)
                }
            )
            for item in verdicts.verdicts
        ),
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
            {
                item.test_id: item.adherence_score
                for item in graded_tasks(scores[row.quant_tag])
                if item.adherence_score is not None
            },
            include_invalid,
        )
        for row in rows
    ]


def judged_tasks(scores: Iterable[Sequence[TaskScore]]) -> list[JudgedTask]:
    """Return each task that any quant was asked, with its family and level."""
    tasks = {
        item.test_id: JudgedTask(item.test_id, item.bank, item.family, str(item.level or ""))
        for of_quant in scores
        for item in graded_tasks(of_quant)
    }
    return list(tasks.values())


def lost_to(
    quant: Sequence[TaskScore], baseline: Sequence[TaskScore], counted: Collection[str]
) -> tuple[LostTo, ...]:
    """Return how many lost tasks failed in a way that may have another cause than the quant.

    Args:
        quant: The quant's scores.
        baseline: The baseline's.
        counted: The tasks that count.
    """
    theirs = {item.test_id: item.adherence_score or 0.0 for item in baseline}
    found = Counter(
        item.failure
        for item in graded_tasks(quant)
        if item.failure in ADVICE
        and item.test_id in counted
        and (item.adherence_score or 0.0) < theirs.get(item.test_id, 0.0)
    )
    return tuple(
        LostTo(failure=failure, tasks=found[failure]) for failure in ADVICE if failure in found
    )


def graded_tasks(scores: Sequence[TaskScore]) -> list[TaskScore]:
    """Return the tasks that have an expected answer; the others count for agreement only."""
    return [item for item in scores if item.adherence_score is not None]
