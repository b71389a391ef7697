"""Latency and speed of one cell compared with its baselines.

The noise that counts is the drift of the host between sweeps, which is much larger than the spread
of the runs inside one sweep. So each measurement counts as one value, however many runs it has, and
the new one is compared with the spread of the earlier ones.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from orket_lib.analysis.baselines.pairs import Pairs, Tasks
from orket_lib.analysis.statistics import (
    Prediction,
    against_history,
    holm,
)
from orket_lib.artifacts.views.regression import Change, Metric, TaskFinding
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.thresholds import (
    FEWEST_BASELINES,
    REGRESSION_ALPHA,
    REGRESSION_FLOOR,
)

ADHERENCE: Metric = "adherence_score"
PAIRED: Metric = "fastest_latency"
RATES: tuple[Metric, ...] = ("prompt_tokens_per_second", "generation_tokens_per_second")
_MORE_IS_BETTER = (ADHERENCE, *RATES)

_TOO_FEW_HAVE_IT = f"FEWER_THAN_{FEWEST_BASELINES}_BASELINES_HAVE_IT"

_Clock = Literal["server", "client"] | None


@dataclass(frozen=True)
class Tested:
    """The test result of one metric of one cell.

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
        tasks: Number of tasks that were paired.
        findings: Tasks with a significant change of their own.
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


def examine_latency(pairs: Pairs) -> Tested | Null:
    """Test the latency of the tasks, each task paired with itself.

    The fastest of six runs is faster than the fastest of two, so only measurements with the same
    number of runs are compared.
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
    """Yield the tasks whose time changed significantly more, or less, than that of the others.

    Args:
        tasks: Task ids, in the order of the times.
        logs: Logarithms of the times, one list per measurement; the new one is last.
    """
    usual = [statistics.fmean(times) for times in zip(*logs[:-1], strict=True)]
    own = [_without_common_shift(values, usual) for values in logs]
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


def _without_common_shift(values: Sequence[float], usual: Sequence[float]) -> list[float]:
    """Return each task's deviation from its usual time, minus the median deviation.

    A host that is slower as a whole shifts all tasks; only what differs from that is a finding.
    """
    deviations = [value - mean for value, mean in zip(values, usual, strict=True)]
    middle = statistics.median(deviations)
    return [deviation - middle for deviation in deviations]


def examine_figure(metric: Metric, pairs: Pairs) -> Tested | Null:
    """Test a figure that a cell has only once, such as its load time."""
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
    """Return the logarithm of a figure; the record of every task repeats the same one."""
    value = next(iter(tasks.values())).reading(metric)
    return apply(lambda known: math.log(known) if known > 0 else Null("NOT_ABOVE_0"), value)


def _clock(metric: Metric, tasks: Tasks) -> _Clock:
    return next(iter(tasks.values())).rate_source if metric in RATES else None


def _relative(metric: Metric, now: float, found: Prediction) -> Tested:
    """Return a test of logarithms as a test of ratios."""
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
