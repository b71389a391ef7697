"""One metric of one cell against its baselines: how much, how sure, and in which tasks.

The noise that counts is the host's from one sweep to the next, and only a history of sweeps shows
it: inside a sweep a machine repeats itself far better than on another day. So a measurement is one
value, however many runs it has, and it is held against the spread of the earlier ones.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from orket_lib.analysis.regression_pairs import Pairs, Tasks
from orket_lib.analysis.statistics import (
    Prediction,
    against_history,
    as_many_or_more,
    bootstrap_interval,
    holm,
)
from orket_lib.artifacts.regression import Change, Metric, TaskFinding
from orket_lib.vocabulary.compare import TOLERANCE
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import (
    FEWEST_BASELINES,
    REGRESSION_ALPHA,
    REGRESSION_FLOOR,
)

METRICS: tuple[Metric, ...] = get_args(Metric)
ADHERENCE: Metric = "adherence_score"
PAIRED: Metric = "fastest_latency"
RATES: tuple[Metric, ...] = ("prompt_tokens_per_second", "generation_tokens_per_second")
_MORE_IS_BETTER = (ADHERENCE, *RATES)

_Clock = Literal["server", "client"] | None


@dataclass(frozen=True)
class Tested:
    """A metric that could be tested.

    Attributes:
        before: Typical value of the baselines.
        now: The new value.
        effect: Relative change; of adherence, the difference.
        low: Lower end of the 95 % interval of the effect.
        high: Upper end of it.
        noise: Spread between the baselines, same unit.
        p_value: Two-sided.
        worse: Whether the effect is for the worse.
        beyond_noise: Whether it is large enough to be a finding if it is significant.
        tasks: That are paired.
        findings: Tasks that stand out.
    """

    before: float
    now: float
    effect: float
    low: float
    high: float
    noise: float
    p_value: float
    worse: bool
    beyond_noise: bool
    tasks: int = 0
    findings: tuple[TaskFinding, ...] = ()


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


def examine(metric: Metric, pairs: Pairs, restless: Extremes) -> Tested | Null:
    """Return what a metric came to, or why it can't be told.

    Args:
        metric: Which one.
        pairs: The cell beside its baselines.
        restless: Of all cells of the sweep: how often scores change for no reason is a property of
            the host and the runtime, and rare events need many chances to be counted.
    """
    if len(pairs.earlier) < FEWEST_BASELINES:
        return Null(f"FEWER_THAN_{FEWEST_BASELINES}_BASELINES")
    if metric == ADHERENCE:
        return _test_adherence(pairs, restless)
    return _test_latency(pairs) if metric == PAIRED else _test_figure(metric, pairs)


def _test_adherence(pairs: Pairs, restless: Extremes) -> Tested:
    """Test the number of tasks that are now worse (or better) than in every baseline."""
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


def _test_latency(pairs: Pairs) -> Tested | Null:
    """Test the latency of tasks, each paired with itself."""
    measurements = (*pairs.earlier, pairs.now)
    tasks = [
        test_id
        for test_id in pairs.tasks
        if all(each[test_id].fastest_latency for each in measurements)
    ]
    if not tasks:
        return Null("NO_TASK_ANSWERED_IN_ALL")
    logs = [
        [math.log(each[test_id].fastest_latency or math.nan) for test_id in tasks]
        for each in measurements
    ]
    levels = [statistics.fmean(values) for values in logs]
    found = against_history(levels[-1], levels[:-1], [levels[index] for index in pairs.centre])
    tested = _relative(PAIRED, levels[-1], found)
    return Tested(**(vars(tested) | {"tasks": len(tasks), "findings": tuple(_slower(tasks, logs))}))


def _slower(tasks: Sequence[str], logs: Sequence[Sequence[float]]) -> Iterator[TaskFinding]:
    """Yield the tasks whose time changed by more, or less, than that of most.

    Args:
        tasks: In the order of the times.
        logs: Logarithms of the times, by measurement; the new one comes last.
    """
    usual = [statistics.fmean(times) for times in zip(*logs[:-1], strict=True)]
    own = [_beyond_the_others(values, usual) for values in logs]
    found = [
        against_history(own[-1][place], [values[place] for values in own[:-1]])
        for place in range(len(tasks))
    ]
    adjusted = holm([item.p_value for item in found])
    for place, (item, p_value) in enumerate(zip(found, adjusted, strict=True)):
        effect = math.expm1(item.change)
        if p_value <= REGRESSION_ALPHA and abs(effect) >= REGRESSION_FLOOR:
            yield TaskFinding(
                test_id=tasks[place],
                metric=PAIRED,
                change=Change.REGRESSED if effect > 0 else Change.IMPROVED,
                before=math.exp(statistics.median(values[place] for values in logs[:-1])),
                now=math.exp(logs[-1][place]),
                effect=effect,
            )


def _beyond_the_others(values: Sequence[float], usual: Sequence[float]) -> list[float]:
    """Return each task's deviation from its usual time, less that of the task in the middle."""
    deviations = [value - mean for value, mean in zip(values, usual, strict=True)]
    middle = statistics.median(deviations)
    return [deviation - middle for deviation in deviations]


def _test_figure(metric: Metric, pairs: Pairs) -> Tested | Null:
    """Test a figure that the cell has once."""
    now = _figure(metric, pairs.now)
    if isinstance(now, Null):
        return now
    clock = _clock(metric, pairs.now)
    usable = {
        index: value
        for index, tasks in enumerate(pairs.earlier)
        if not isinstance(value := _figure(metric, tasks), Null) and _clock(metric, tasks) == clock
    }
    centre = [value for index, value in usable.items() if index in pairs.centre]
    if len(usable) < FEWEST_BASELINES or not centre:
        return Null(f"FEWER_THAN_{FEWEST_BASELINES}_BASELINES_HAVE_IT")
    return _relative(metric, now, against_history(now, list(usable.values()), centre))


def _figure(metric: Metric, tasks: Tasks) -> float | Null:
    """Return the logarithm of a figure; every task of a measurement repeats the same."""
    value = next(iter(tasks.values())).reading(metric)
    if isinstance(value, Null):
        return value
    return math.log(value) if value > 0 else Null("NOT_ABOVE_0")


def _clock(metric: Metric, tasks: Tasks) -> _Clock:
    return next(iter(tasks.values())).rate_source if metric in RATES else None


def _relative(metric: Metric, now: float, found: Prediction) -> Tested:
    """Return a comparison of logarithms as one of ratios."""
    effect = math.expm1(found.change)
    return Tested(
        before=math.exp(now - found.change),
        now=math.exp(now),
        effect=effect,
        low=math.expm1(found.low),
        high=math.expm1(found.high),
        noise=math.expm1(found.spread),
        p_value=found.p_value,
        worse=(effect < 0) == (metric in _MORE_IS_BETTER),
        beyond_noise=abs(effect) >= REGRESSION_FLOOR,
    )
