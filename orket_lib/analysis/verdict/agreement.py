"""How far answers agree with the baseline's: evidence that needs no right answers.

Where tasks can't tell the quants apart, agreement orders them. It never overrules a verdict: other
words may be right, too.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from orket_lib.analysis.rows.answers import same_start
from orket_lib.analysis.statistics import interval_of_share
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.verdict import Agreement, Verdict
from orket_lib.vocabulary.nulls import Null

_NOTHING_TO_COMPARE = Null("NO_ANSWERS_TO_COMPARE")


def agreement(quant: Sequence[TaskScore], baseline: Sequence[TaskScore]) -> Agreement:
    """Return how far a quant's answers agree with the baseline's.

    A task that only one of them answered is one without agreement; a task that neither answered is
    left out.

    Args:
        quant: The quant's tasks.
        baseline: The baseline's; tasks that only one was asked are left out.
    """
    theirs = {item.test_id: item.answer for item in baseline}
    shares = [
        same_start(item.answer, theirs[item.test_id]) for item in quant if item.test_id in theirs
    ]
    return _over(shares, _NOTHING_TO_COMPARE)


def noise_floor(row: RowMetrics, scores: Sequence[TaskScore]) -> Agreement:
    """Return how far the answers of a quant's second run agree with those of its first.

    Args:
        row: Its metrics.
        scores: Its tasks; those that were asked once are left out.
    """
    rate = row.reading("determinism_rate")
    why = rate if isinstance(rate, Null) else _NOTHING_TO_COMPARE
    return _over([item.repeated for item in scores], why)


def most_alike(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the quants whose answers were compared, most same answers first."""
    known = [
        (item.agreement.same_answer_rate, item.agreement.same_start_share or 0.0, item)
        for item in verdicts
        if item.agreement and item.agreement.same_answer_rate is not None
    ]
    known.sort(key=lambda each: each[:2], reverse=True)
    return tuple(item for _, _, item in known)


def _over(shares: Sequence[float | None], why: Null) -> Agreement:
    """Return the agreement over the tasks that have a share; `why` explains if none has."""
    starts = [share for share in shares if share is not None]
    same = [float(share == 1) for share in starts]
    return Agreement.of(
        tasks=len(starts),
        same_answers=int(sum(same)),
        **_figure("same_answer", "same_answer_rate", same, why),
        **_figure("same_start", "same_start_share", starts, why),
    )


def _figure(name: str, reading: str, values: Sequence[float], why: Null) -> dict[str, Any]:
    if not values:
        return {reading: why}
    low, high = interval_of_share(values)
    return {reading: statistics.fmean(values), f"{name}_low": low, f"{name}_high": high}
