"""Statistical tests and intervals, by scipy and numpy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from orket_lib.vocabulary.thresholds import TOLERANCE

# Smallest credible spread of a history: clocks and counters have no finer resolution.
_SMALLEST_SPREAD = 1e-3
_CONFIDENCE = 0.95


@cache
def mcnemar_exact(one_way: int, other_way: int) -> float:
    """Return the two-sided p-value of the exact McNemar test.

    Args:
        one_way: Pairs that changed in one direction (correct to wrong).
        other_way: Pairs that changed in the other.

    Under the null hypothesis each changed pair is a fair coin; no changed pair gives 1.0.
    """
    from scipy.stats import binomtest

    changed = one_way + other_way
    if not changed:
        return 1.0
    return float(binomtest(min(one_way, other_way), changed, 0.5).pvalue)


def binomial_bounds(
    right: float, asked: float, confidence: float = _CONFIDENCE
) -> tuple[float, float]:
    """Return the bounds of a chance, each of which holds with 95 % (Clopper and Pearson).

    Args:
        right: Successes; a task that is half right counts half.
        asked: Trials; none leave the whole range.
        confidence: Of each bound.
    """
    from scipy.special import betaincinv

    wrong, error = asked - right, 1 - confidence
    low = float(betaincinv(right, wrong + 1, error)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, wrong, confidence)) if wrong > 0 else 1.0
    return low, high


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def paired_drop(lost: float, won: float, tasks: float, among: int = 1) -> Estimate:
    """Return by how much a share of right answers dropped between two measurements of one kind.

    The interval is above 0 exactly where `mcnemar_exact` is at most 0.05 / `among`: it is that of
    the share of losses among the changed answers (Clopper and Pearson), times the bound of the
    share of changed answers that makes it wider. So no change at all still leaves an interval.

    Args:
        lost: Tasks that were right and are wrong.
        won: Tasks that were wrong and are right.
        tasks: All tasks, at least one.
        among: Of how many intervals this is one; all hold together with 95 % (Bonferroni).
    """
    certain = 1 - (1 - _CONFIDENCE) / (2 * among)
    changed = lost + won
    least, most = (2 * share - 1 for share in binomial_bounds(lost, changed, certain))
    few, many = binomial_bounds(changed, tasks, certain)
    low = least * (many if least < 0 else few)
    return Estimate((lost - won) / tasks, low, most * (many if most > 0 else few))


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Return how much larger one of two independent estimates is.

    Source: Zou and Donner, Construction of confidence limits about effect measures, 2008 (MOVER).
    """
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, value - below, value + above)


def rank_sum_exact(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p-value of the rank-sum test (Mann and Whitney).

    Exact unless there are ties.

    Args:
        one: The first sample, in any order.
        other: The second sample, not paired with the first.
    """
    from scipy.stats import mannwhitneyu

    tied = len({*one, *other}) < len(one) + len(other)
    return float(mannwhitneyu(one, other, method="asymptotic" if tied else "exact").pvalue)


class Prediction(NamedTuple):
    """A new value compared with the prediction from a history of values.

    Attributes:
        change: New value - centre.
        low: Lower end of the 95 % interval of the change.
        high: Upper end of it.
        p_value: Two-sided.
        spread: Standard deviation between the values of the history.
    """

    change: float
    low: float
    high: float
    p_value: float
    spread: float


def against_history(
    value: float, history: Sequence[float], centre: Sequence[float] | None = None
) -> Prediction:
    """Compare a value with a history of at least two, by the t distribution.

    The spread of the history contains the drift of a machine between measurements, which the
    samples inside one measurement don't show.

    Args:
        value: The new value; a logarithm if changes are ratios.
        history: Earlier values, one per measurement.
        centre: The part of the history to compare with; all of it by default.
    """
    from scipy.stats import t

    compared = history if centre is None else centre
    spread = max(statistics.stdev(history), _SMALLEST_SPREAD)
    error = spread * math.sqrt(1 + 1 / len(compared))
    freedom = len(history) - 1
    change = value - statistics.fmean(compared)
    reach = float(t.ppf((1 + _CONFIDENCE) / 2, freedom)) * error
    p_value = 2 * float(t.sf(abs(change) / error, freedom))
    return Prediction(change, change - reach, change + reach, p_value, spread)


def as_many_or_more(seen: int, trials: int, before: float, trials_before: int) -> float:
    """Return the chance of at least so many events, given how many there were before.

    The rate is estimated from the history with the Jeffreys prior, so a history without events
    doesn't prove a rate of zero (beta-binomial).

    Args:
        seen: Events now.
        trials: Opportunities now.
        before: Events in the history.
        trials_before: Opportunities in the history.
    """
    from scipy.stats import betabinom

    return float(betabinom.sf(seen - 1, trials, 0.5 + before, 0.5 + trials_before - before))


class SumChance(NamedTuple):
    """Tail probabilities of a sum.

    Attributes:
        as_few: Chance of this sum or a smaller one.
        as_many: Chance of this sum or a larger one.
    """

    as_few: float
    as_many: float


def chance_of_sum(total: float, rates: Sequence[float], trials: int) -> SumChance:
    """Return the tail probabilities of a sum of yes-or-no events, each with its own history.

    Each event's rate is estimated with the Jeffreys prior, so an event that always happened before
    may fail now (Poisson binomial of the predictive chances).

    Args:
        total: Number of events now; a fraction is rounded in the direction of no finding.
        rates: Share of its history in which each event happened.
        trials: Length of the histories.
    """
    import numpy

    chances = [(rate * trials + 0.5) / (trials + 1) for rate in rates]
    distribution = numpy.ones(1)
    for chance in chances:
        distribution = numpy.convolve(distribution, (1 - chance, chance))
    few, many = math.ceil(total - TOLERANCE), math.floor(total + TOLERANCE)
    return SumChance(float(distribution[: few + 1].sum()), float(distribution[many:].sum()))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values adjusted for multiple testing (Holm), in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def interval_of_share(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values in 0..1, for further values of the same kind.

    The mean of a Dirichlet process (Ferguson 1973) whose prior has half a value at 0 and half a
    value at 1, approximated by the beta distribution with the same mean and variance. For values of
    0 and 1 only it is the Jeffreys interval, exactly. So values that are all 1 don't prove that
    the next one is.

    Args:
        values: At least one, in any order.
    """
    squares = math.fsum(value * value for value in values)
    return _interval_of_share(len(values), math.fsum(values), squares)


@cache
def _interval_of_share(count: int, total: float, squares: float) -> tuple[float, float]:
    from scipy.stats import beta

    weight = count + 1
    mean = (total + 0.5) / weight
    of_squares = (squares + 0.5) / weight
    size = mean * (1 - mean) * (weight + 1) / (of_squares - mean * mean) - 1
    tail = (1 - _CONFIDENCE) / 2
    found = beta(mean * size, (1 - mean) * size)
    return float(found.ppf(tail)), float(found.ppf(1 - tail))


def half_width(values: Sequence[float]) -> float:
    """Return how far the 95 % interval of the mean of at least two values reaches (Student)."""
    from scipy.stats import t

    several = len(values)
    quantile = float(t.ppf((1 + _CONFIDENCE) / 2, several - 1))
    return quantile * statistics.stdev(values) / math.sqrt(several)


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of a mean; the same values give the same interval."""
    import numpy

    generator = numpy.random.default_rng(0)
    array = numpy.asarray(values, dtype=float)
    means = generator.choice(array, (2000, len(array))).mean(axis=1)
    low, high = numpy.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return float(low), float(high)
