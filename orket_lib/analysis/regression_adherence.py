"""Answers against those of the baselines: which tasks are lost, and whether that is chance.

A mean hides what happened: two tasks lost of forty are a twentieth. So tasks are counted that are
now worse than in every baseline, and held against how often that is so among the baselines
themselves, each against the others.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from orket_lib.analysis.regression_pairs import Pairs, Tasks
from orket_lib.analysis.regression_tested import ADHERENCE, Tested
from orket_lib.analysis.statistics import as_many_or_more, bootstrap_interval
from orket_lib.artifacts.regression import Change, TaskFinding
from orket_lib.vocabulary.compare import TOLERANCE
from orket_lib.vocabulary.thresholds import FEWEST_BASELINES


@dataclass(frozen=True)
class Extremes:
    """How often tasks of a history were worse, or better, than in all its other measurements.

    Attributes:
        lost: Tasks below all others, summed over the measurements.
        won: Tasks above all others.
        chances: Tasks x measurements.
    """

    lost: int = 0
    won: int = 0
    chances: int = 0

    def __add__(self, other: Extremes) -> Extremes:
        return Extremes(self.lost + other.lost, self.won + other.won, self.chances + other.chances)


def extremes(pairs: Pairs) -> Extremes:
    """Return how restless the scores of a cell's baselines are among themselves."""
    if len(pairs.earlier) < FEWEST_BASELINES:
        return Extremes()
    each = [_lost_and_won(pairs, index) for index in range(len(pairs.earlier))]
    return Extremes(
        sum(len(lost) for lost, _ in each),
        sum(len(won) for _, won in each),
        len(pairs.earlier) * len(pairs.tasks),
    )


def examine_adherence(pairs: Pairs, restless: Extremes) -> Tested:
    """Test the number of tasks that are now worse (or better) than in every baseline.

    Args:
        pairs: The cell beside its baselines.
        restless: Of all cells of the sweep.
    """
    lost, won = _lost_and_won(pairs, None)
    count = len(pairs.tasks)
    p_lost = as_many_or_more(len(lost), count, restless.lost, restless.chances)
    p_won = as_many_or_more(len(won), count, restless.won, restless.chances)
    worse = p_lost <= p_won
    usual = [_lost_and_won(pairs, index) for index in range(len(pairs.earlier))]
    most = max(len(one_way if worse else other) for one_way, other in usual)
    before = {test_id: _mean(pairs, test_id) for test_id in pairs.tasks}
    differences = [pairs.now[test_id].adherence_score - before[test_id] for test_id in pairs.tasks]
    low, high = bootstrap_interval(differences)
    means = [statistics.fmean(_scores(tasks, pairs)) for tasks in pairs.earlier]
    findings = [
        TaskFinding(
            test_id=test_id,
            metric=ADHERENCE,
            change=change,
            before=before[test_id],
            now=pairs.now[test_id].adherence_score,
            effect=pairs.now[test_id].adherence_score - before[test_id],
        )
        for change, ids in ((Change.REGRESSED, lost), (Change.IMPROVED, won))
        for test_id in ids
    ]
    return Tested(
        before=statistics.fmean(before.values()),
        now=statistics.fmean(_scores(pairs.now, pairs)),
        effect=statistics.fmean(differences),
        low=low,
        high=high,
        noise=statistics.stdev(means),
        p_value=min(1.0, 2 * min(p_lost, p_won)),
        worse=worse,
        beyond_noise=len(lost if worse else won) > most,
        tasks=count,
        findings=tuple(findings),
    )


def _lost_and_won(pairs: Pairs, index: int | None) -> tuple[list[str], list[str]]:
    """Return the tasks whose scores are below, and above, those of all baselines.

    Args:
        pairs: The cell beside its baselines.
        index: A baseline, to be held against the others; None is the new measurement.
    """
    chosen = pairs.now if index is None else pairs.earlier[index]
    others = [tasks for place, tasks in enumerate(pairs.earlier) if place != index]
    lost, won = [], []
    for test_id in pairs.tasks:
        score = chosen[test_id].adherence_score
        scores = [tasks[test_id].adherence_score for tasks in others]
        if score < min(scores) - TOLERANCE:
            lost.append(test_id)
        elif score > max(scores) + TOLERANCE:
            won.append(test_id)
    return lost, won


def _mean(pairs: Pairs, test_id: str) -> float:
    return statistics.fmean(pairs.earlier[index][test_id].adherence_score for index in pairs.centre)


def _scores(tasks: Tasks, pairs: Pairs) -> list[float]:
    return [tasks[test_id].adherence_score for test_id in pairs.tasks]
