"""Whether a series of latencies rises, beyond what its own noise would make of nothing.

Two looks, because heat shows in two ways: a few runs in a row that each take longer (the window),
and a slow rise over the whole series (the trend). What counts as noise is the larger of two
estimates, each with the uncertainty that it has from so few runs: the spread of the generations
inside of the runs, which knows nothing of what differs between runs, and second differences of the
series itself, which a steady rise leaves at zero. The levels were set by
simulation (`tests/analysis/thermal/simulated_series.py`): of series that are nothing but noise,
less than 5 % rise.

A series in which no rise is seen is steady only where the largest rise that could hide in it is
small: a few runs that vary by a fifth show nothing, and that is no proof of a steady machine.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from orket_lib.analysis.thermal.kendall import chance_of_order, shares_of_orders

FEWEST_RUNS = 3  # two runs always rise or fall, and nothing tells how far they would by chance
LEAST_RISE = 0.005  # of the latency; what is smaller is no heat soak, however sure it is
MOST_HIDDEN = 0.15  # of the latency; a series that may hide a larger rise is not called steady
_HIDDEN_LEVEL = 0.05  # chance that a series rises by more than is said to be ruled out
_LEVEL = 0.035  # chance that noise alone makes a series rise, by either look
_TREND_LEVEL = 0.03  # of that, by the trend, as far as so few orders can come near it
# A difference of second order of independent values has six times their variance; neighbours have
# these correlations, so that fewer of them are independent.
_VARIANCES = 6
_NEIGHBOURS = (1.0, -4 / 6, 1 / 6)


@dataclass(frozen=True)
class Run:
    """What the trend needs to know of a run.

    Attributes:
        latency: In seconds, above 0.
        inner: Seconds of its generations; without at least two, nothing is known of its noise.
    """

    latency: float
    inner: Sequence[float] = ()

    @property
    def error(self) -> float | None:
        """Standard error of the latency by the generations, as a share of it."""
        if len(self.inner) < 2:
            return None
        return statistics.stdev(self.inner) / math.sqrt(len(self.inner)) / self.latency


@dataclass(frozen=True)
class Noise:
    """What a run's latency varies by when nothing happens, as a share of it.

    Attributes:
        between: By second differences of the series.
        within: By the generations inside of the runs; None where there are none.
        freedom: Degrees of freedom of the two.
    """

    between: float
    within: float | None
    freedom: tuple[float, int]

    @property
    def spread(self) -> float:
        """The larger of the two."""
        return max(self.between, self.within or 0.0)

    def rise_beyond(self, chance: float) -> float:
        """Return the rise between two runs that noise exceeds with no more than this chance."""
        reach = _t_quantile(chance, self.freedom[0]) * self.between
        if self.within is not None:
            reach = max(reach, _t_quantile(chance, self.freedom[1]) * self.within)
        return max(math.sqrt(2) * reach, LEAST_RISE)


@dataclass(frozen=True)
class Trend:
    """What a series of latencies does.

    Attributes:
        noise: Of its runs.
        total: Rise from the first run to the last by the median slope, a logarithm.
        p_value: Chance of as ordered a rise by noise alone.
        least: Rise over a window that would have counted, a logarithm.
        most: Rise from the first run to the last that may hide in the noise, a logarithm.
        rises: First and last place of each stretch that rises beyond the noise.
        falls: Likewise.
    """

    noise: Noise
    total: float
    p_value: float
    least: float
    most: float
    rises: tuple[tuple[int, int], ...]
    falls: tuple[tuple[int, int], ...]

    @property
    def total_ratio(self) -> float:
        """Rise from the first run to the last, as a share of the latency."""
        return math.expm1(self.total)

    @property
    def least_ratio(self) -> float:
        """Rise over a window that would have counted, likewise."""
        return math.expm1(self.least)

    @property
    def most_ratio(self) -> float:
        """Rise from the first run to the last that may hide in the noise, as a share of it."""
        return math.expm1(self.most)

    @property
    def steady(self) -> bool:
        """Whether no rise is seen, and none that matters can hide."""
        return not self.rises and self.most_ratio <= MOST_HIDDEN


def trend_of(runs: Sequence[Run], window: int) -> Trend | None:
    """Return what a series does; None when it is too short to tell.

    Args:
        runs: In the order in which they were measured.
        window: How many rises, one after the other, are looked for.
    """
    if len(runs) < FEWEST_RUNS:
        return None
    values = [math.log(run.latency) for run in runs]
    noise = noise_of(values, [run for run in runs if len(run.inner) > 1])
    total = median_slope(list(enumerate(values))) * (len(values) - 1)
    least = noise.rise_beyond(_chance_of_a_window(len(values), window))
    falling = [-value for value in values]
    return Trend(
        noise=noise,
        total=total,
        p_value=chance_of_order(values),
        least=least,
        most=_most_hidden(values),
        rises=tuple(_stretches(values, noise, total, least, window)),
        falls=tuple(_stretches(falling, noise, -total, least, window)),
    )


def noise_of(values: Sequence[float], sampled: Sequence[Run]) -> Noise:
    """Return the noise of a series.

    Args:
        values: Logarithms of its latencies.
        sampled: Those of its runs that have several generations.
    """
    bends = [
        (after - value) - (value - before)
        for before, value, after in zip(values, values[1:], values[2:], strict=False)
    ]
    between = math.sqrt(sum(bend**2 for bend in bends) / (_VARIANCES * len(bends)))
    if not sampled:
        return Noise(between, None, (_bends_freedom(len(bends)), 0))
    within = math.sqrt(statistics.fmean((run.error or 0.0) ** 2 for run in sampled))
    freedom = sum(len(run.inner) - 1 for run in sampled)
    return Noise(between, within, (_bends_freedom(len(bends)), freedom))


def median_slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between all pairs of points (Theil and Sen)."""
    return statistics.median(
        (later - earlier) / (after - before)
        for place, (before, earlier) in enumerate(points)
        for after, later in points[place + 1 :]
    )


def _stretches(
    values: Sequence[float], noise: Noise, total: float, least: float, window: int
) -> list[tuple[int, int]]:
    """Return the stretches of a series that rise beyond its noise."""
    last = len(values) - 1
    found = []
    ordered = chance_of_order(values) <= _TREND_LEVEL
    if ordered and total > max(math.sqrt(2) * noise.spread, LEAST_RISE):
        found.append((0, last))
    for first in range(last - window + 1):
        inside = values[first : first + window + 1]
        steps = all(after > before for before, after in pairwise(inside))
        if steps and inside[-1] - inside[0] > least:
            found.append((first, first + window))
    return found


def _most_hidden(values: Sequence[float]) -> float:
    """Return the rise from first to last that a straight line through the values may have.

    The upper end of a one-sided confidence interval for its slope, by what the values are off it.
    """
    count = len(values)
    line = statistics.linear_regression(range(count), values)
    off = [value - line.intercept - line.slope * place for place, value in enumerate(values)]
    error = math.sqrt(sum(one**2 for one in off) / (count - 2) * 12 / (count * (count**2 - 1)))
    slope = line.slope + _t_quantile(_HIDDEN_LEVEL, count - 2) * error
    return max(slope * (count - 1), math.log1p(LEAST_RISE))


def _chance_of_a_window(length: int, window: int) -> float:
    """Return the level of one window of a series: its part of what the trend leaves.

    Windows overlap and ask for more than a rise from end to end, so half of them are counted.
    """
    shares = shares_of_orders((1,) * length)
    used = max((share for share in shares if share <= _TREND_LEVEL), default=0.0)
    return (_LEVEL - used) / max(1.0, (length - window) / 2)


def _bends_freedom(bends: int) -> float:
    """Return to how many independent values the second differences of a series are worth."""
    pairs = sum(
        (1 if apart == 0 else 2) * max(0, bends - apart) * correlation**2
        for apart, correlation in enumerate(_NEIGHBOURS)
    )
    return bends**2 / pairs


@cache
def _t_quantile(chance: float, freedom: float) -> float:
    """Return what a t-distributed value exceeds with this chance."""
    from scipy.stats import t

    return float(t.isf(chance, freedom))
