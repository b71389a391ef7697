"""Adherence of one cell compared with its baselines: what got worse, and whether that is chance.

Two tests. The first counts the tasks that are now worse than in every baseline, and compares that
number with how often it happens among the baselines themselves: a mean would hide it, because two
lost tasks of forty are only a twentieth. The second tests the mean: where answers come and go, a
task that failed once before can never be worse than in every baseline.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orket_lib.analysis.baselines.metrics import ADHERENCE, Tested
from orket_lib.analysis.baselines.pairs import Pairs, Tasks
from orket_lib.analysis.statistics import (
    against_history,
    as_many_or_more,
    bootstrap_interval,
    chance_of_sum,
)
from orket_lib.artifacts.views.regression import Change, TaskFinding
from orket_lib.vocabulary.thresholds import (
    FEWEST_BASELINES,
    REGRESSION_ALPHA,
    REGRESSION_FLOOR,
    TOLERANCE,
)

_Lists = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True)
class Extremes:
    """How often tasks of a history scored worse, or better, than in its other measurements.

    Attributes:
        lost: Tasks below all other measurements, summed over the measurements.
        won: Tasks above all other measurements.
        chances: Tasks x measurements.
    """

    lost: float = 0
    won: float = 0
    chances: int = 0

    def __add__(self, other: Extremes) -> Extremes:
        """Return the sum over both histories."""
        return Extremes(self.lost + other.lost, self.won + other.won, self.chances + other.chances)


@dataclass(frozen=True)
class _Result:
    """The result of one of the two tests.

    Attributes:
        p_value: Two-sided.
        worse: Whether answers got worse, not better.
        beyond_noise: Whether the change is large enough to be a finding if it is significant.
        lost: Tasks that got worse.
        won: Tasks that got better.
    """

    p_value: float
    worse: bool
    beyond_noise: bool
    lost: Sequence[str]
    won: Sequence[str]


def extremes(pairs: Pairs) -> Extremes:
    """Return how often scores change between the baselines of a cell."""
    if len(pairs.earlier) < FEWEST_BASELINES:
        return Extremes()
    each = list(_among_baselines(pairs))
    # A baseline that is compared with each of the others in turn still counts once.
    share = len(pairs.earlier) / len(each)
    return Extremes(
        share * sum(len(lost) for lost, _ in each),
        share * sum(len(won) for _, won in each),
        len(pairs.earlier) * len(pairs.tasks),
    )


def examine_adherence(pairs: Pairs, restless: Extremes) -> Tested:
    """Test which tasks are now worse (or better) than before, and whether the mean is.

    Args:
        pairs: The cell and its baselines.
        restless: How often scores change for no reason, over all cells of the sweep.
    """
    results = [_test_tasks(pairs, restless), *([] if pairs.named else [_test_mean(pairs)])]
    best = min(results, key=lambda item: (not item.beyond_noise, item.p_value))
    before = {test_id: _mean(pairs, test_id) for test_id in pairs.tasks}
    differences = [pairs.now[test_id].adherence_score - before[test_id] for test_id in pairs.tasks]
    low, high = bootstrap_interval(differences)
    findings = [
        TaskFinding(
            test_id=test_id,
            metric=ADHERENCE,
            change=change,
            before=before[test_id],
            now=pairs.now[test_id].adherence_score,
            effect=pairs.now[test_id].adherence_score - before[test_id],
        )
        for change, ids in ((Change.REGRESSED, best.lost), (Change.IMPROVED, best.won))
        for test_id in ids
    ]
    return Tested(
        before=statistics.fmean(before.values()),
        now=_level(pairs.now, pairs),
        effect=statistics.fmean(differences),
        low=low,
        high=high,
        noise=statistics.stdev(_level(tasks, pairs) for tasks in pairs.earlier),
        p_value=min(1.0, len(results) * best.p_value),
        worse=best.worse,
        beyond_noise=best.beyond_noise,
        tasks=len(pairs.tasks),
        findings=tuple(findings),
    )


def _test_tasks(pairs: Pairs, restless: Extremes) -> _Result:
    """Test whether more tasks are lost (or won) than is usual among the baselines."""
    lost, won = _lost_and_won(pairs, pairs.now, [pairs.earlier[index] for index in pairs.centre])
    count = len(pairs.tasks)
    p_lost = as_many_or_more(len(lost), count, restless.lost, restless.chances)
    p_won = as_many_or_more(len(won), count, restless.won, restless.chances)
    worse = p_lost <= p_won
    most = max(len(one if worse else other) for one, other in _among_baselines(pairs))
    return _Result(
        p_value=min(1.0, 2 * min(p_lost, p_won)),
        worse=worse,
        beyond_noise=len(lost if worse else won) > most,
        lost=lost,
        won=won,
    )


def _test_mean(pairs: Pairs) -> _Result:
    """Test whether the mean changed by more than both kinds of noise explain.

    Baselines may have the same mean to the digit while different tasks pass in each of them. So the
    change must exceed the spread of the means and also what tasks produce that pass independently,
    each as often as before.
    """
    now = _level(pairs.now, pairs)
    found = against_history(now, [_level(tasks, pairs) for tasks in pairs.earlier])
    rates = [
        statistics.fmean(tasks[test_id].adherence_score for tasks in pairs.earlier)
        for test_id in pairs.tasks
    ]
    chance = chance_of_sum(now * len(pairs.tasks), rates, len(pairs.earlier))
    worse = found.change < 0
    p_value = max(found.p_value, min(1.0, 2 * (chance.as_few if worse else chance.as_many)))
    beyond_noise = abs(found.change) >= REGRESSION_FLOOR
    lost, won = _lost_and_won(pairs, pairs.now, pairs.earlier)
    if beyond_noise and p_value <= REGRESSION_ALPHA:
        lost, won = _against_usual(pairs)
    return _Result(p_value, worse, beyond_noise, lost, won)


def _among_baselines(pairs: Pairs) -> Iterator[_Lists]:
    """Yield the tasks lost and won by each baseline, as if it were the new measurement.

    Each is compared as the new one is: with all others together, or with a single one.
    """
    for place, chosen in enumerate(pairs.earlier):
        others = [tasks for index, tasks in enumerate(pairs.earlier) if index != place]
        for compared in [[other] for other in others] if pairs.named else [others]:
            yield _lost_and_won(pairs, chosen, compared)


def _lost_and_won(pairs: Pairs, chosen: Tasks, others: Sequence[Tasks]) -> _Lists:
    """Return the tasks whose scores are below, and above, those of all others."""
    lost, won = [], []
    for test_id in pairs.tasks:
        score = chosen[test_id].adherence_score
        scores = [tasks[test_id].adherence_score for tasks in others]
        if score < min(scores) - TOLERANCE:
            lost.append(test_id)
        elif score > max(scores) + TOLERANCE:
            won.append(test_id)
    return lost, won


def _against_usual(pairs: Pairs) -> _Lists:
    """Return the tasks whose scores are below, and above, what is usual in the baselines."""
    lost: list[str] = []
    won: list[str] = []
    for test_id in pairs.tasks:
        score = pairs.now[test_id].adherence_score
        usual = statistics.median(tasks[test_id].adherence_score for tasks in pairs.earlier)
        if abs(score - usual) > TOLERANCE:
            (lost if score < usual else won).append(test_id)
    return lost, won


def _mean(pairs: Pairs, test_id: str) -> float:
    return statistics.fmean(pairs.earlier[index][test_id].adherence_score for index in pairs.centre)


def _level(tasks: Tasks, pairs: Pairs) -> float:
    """Return the mean score of a measurement over the tasks that are compared."""
    return statistics.fmean(tasks[test_id].adherence_score for test_id in pairs.tasks)
