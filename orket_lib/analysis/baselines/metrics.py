"""One metric of one cell against its baselines: how much, how sure, and in which tasks.

The noise that counts is the host's from one sweep to the next, and only a history of sweeps shows
it: inside a sweep a machine repeats itself far better than on another day. So a measurement is one
value, however many runs it has, and it is held against the spread of the earlier ones.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

from orket_lib.analysis.baselines.adherence import Extremes, examine_adherence
from orket_lib.analysis.baselines.pairs import Pairs, Tasks
from orket_lib.analysis.baselines.tested import ADHERENCE, Tested
from orket_lib.analysis.statistics import (
    Prediction,
    against_history,
    holm,
)
from orket_lib.artifacts.views.regression import Change, Metric, TaskFinding
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import (
    FEWEST_BASELINES,
    REGRESSION_ALPHA,
    REGRESSION_FLOOR,
)

METRICS: tuple[Metric, ...] = get_args(Metric)
PAIRED: Metric = "fastest_latency"
RATES: tuple[Metric, ...] = ("prompt_tokens_per_second", "generation_tokens_per_second")
_MORE_IS_BETTER = (ADHERENCE, *RATES)

_TOO_FEW_HAVE_IT = f"FEWER_THAN_{FEWEST_BASELINES}_BASELINES_HAVE_IT"
_TOO_FEW_CLEAN = f"FEWER_THAN_{FEWEST_BASELINES}_CLEAN_BASELINES"

_Clock = Literal["server", "client"] | None


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
        return examine_adherence(pairs, restless)
    if len(pairs.clean) < FEWEST_BASELINES:
        return Null(_TOO_FEW_CLEAN)
    return _test_latency(pairs) if metric == PAIRED else _test_figure(metric, pairs)


def _test_latency(pairs: Pairs) -> Tested | Null:
    """Test the latency of tasks, each paired with itself.

    The fastest of six runs is faster than that of two: only measurements with as many runs count.
    """
    runs = {test_id: item.runs for test_id, item in pairs.now.items()}
    usable = [
        index
        for index in pairs.clean
        if all(pairs.earlier[index][test_id].runs == count for test_id, count in runs.items())
    ]
    centre = [place for place, index in enumerate(usable) if index in pairs.centre]
    if len(usable) < FEWEST_BASELINES or not centre:
        return Null(_TOO_FEW_HAVE_IT)
    measurements = (*(pairs.earlier[index] for index in usable), pairs.now)
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
    found = against_history(levels[-1], levels[:-1], [levels[place] for place in centre])
    tested = _relative(PAIRED, levels[-1], found)
    return replace(tested, tasks=len(tasks), findings=tuple(_slower(tasks, logs)))


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
        for index in pairs.clean
        if not isinstance(value := _figure(metric, pairs.earlier[index]), Null)
        and _clock(metric, pairs.earlier[index]) == clock
    }
    centre = [value for index, value in usable.items() if index in pairs.centre]
    if len(usable) < FEWEST_BASELINES or not centre:
        return Null(_TOO_FEW_HAVE_IT)
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
