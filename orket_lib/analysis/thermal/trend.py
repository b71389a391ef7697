"""Whether a series of latencies rises by more than measurement noise explains.

Heat shows in two ways, so there are two tests: for a few runs in a row that each take longer (the
window), and for a slow rise over the whole series (the trend). The noise is the larger of two
estimates, each with the uncertainty of so few runs: the spread of the generations inside the runs,
which misses differences between runs, and the second differences of the series, which are zero for
a steady rise. The levels were set by simulation (`tests/analysis/thermal/simulated_series.py`):
less than 5 % of series of pure noise are reported as rising.

A series without a detected rise is called steady only if the largest rise that the noise could hide
is small. A few runs that vary by 20 % show nothing, and don't prove a stable machine.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from orket_lib.analysis.thermal.kendall import chance_of_order, shares_of_orders

FEWEST_RUNS = 3  # two runs always rise or fall, and give no estimate of the noise
LEAST_RISE = 0.005  # of the latency; a smaller rise is no heat soak, however significant
MOST_HIDDEN = 0.15  # of the latency; a series that may hide a larger rise is not called steady
_HIDDEN_LEVEL = 0.05  # chance that a series rises by more than the stated limit
_LEVEL = 0.035  # false-positive rate of both tests together
_TREND_LEVEL = 0.03  # the part of it for the trend; short series may not reach it
# Second differences of independent values have six times their variance. Neighbouring ones have
# these correlations, so fewer of them are independent.
_VARIANCES = 6
_NEIGHBOURS = (1.0, -4 / 6, 1 / 6)


@dataclass(frozen=True)
class Run:
    """One run of a series.

    Attributes:
        latency: In seconds, above 0.
        inner: Seconds of its generations; at least two are needed to estimate its noise.
    """

    latency: float
    inner: Sequence[float] = ()

    @property
    def error(self) -> float | None:
        """Standard error of the latency from its generations, as a share of the latency."""
        if len(self.inner) < 2:
            return None
        return statistics.stdev(self.inner) / math.sqrt(len(self.inner)) / self.latency


@dataclass(frozen=True)
class Noise:
    """Noise of a run's latency, as a share of it.

    Attributes:
        between: Estimate from second differences of the series.
        within: Estimate from the generations inside the runs; None without any.
        freedom: Degrees of freedom of the two estimates.
    """

    between: float
    within: float | None
    freedom: tuple[float, int]

    @property
    def spread(self) -> float:
        """The larger of the two."""
        return max(self.between, self.within or 0.0)

    def rise_beyond(self, chance: float) -> float:
        """Return the rise between two runs that noise exceeds with at most this chance."""
        reach = _t_quantile(chance, self.freedom[0]) * self.between
        if self.within is not None:
            reach = max(reach, _t_quantile(chance, self.freedom[1]) * self.within)
        return max(math.sqrt(2) * reach, LEAST_RISE)


@dataclass(frozen=True)
class Trend:
    """The trend of a series of latencies. Rises are logarithms.

    Attributes:
        noise: Noise of the runs.
        total: Rise from the first run to the last, by the median slope.
        p_value: One-sided p-value of Kendall's test for a rise.
        least: Smallest rise over a window that is significant.
        most: Largest rise from the first run to the last that the noise may hide.
        rises: First and last position of each stretch that rises beyond the noise.
        falls: The same for stretches that fall.
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
        """Smallest significant rise over a window, as a share of the latency."""
        return math.expm1(self.least)

    @property
    def most_ratio(self) -> float:
        """Largest rise that the noise may hide, as a share of the latency."""
        return math.expm1(self.most)

    @property
    def steady(self) -> bool:
        """Whether no rise was detected, and the noise can't hide one that matters."""
        return not self.rises and self.most_ratio <= MOST_HIDDEN


def trend_of(runs: Sequence[Run], window: int) -> Trend | None:
    """Return the trend of a series; None if it is too short.

    Args:
        runs: In the order of measuring.
        window: Number of consecutive rises to look for.
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
        sampled: Runs with several generations.
    """
    bends = [
        (after - value) - (value - before)
        for before, value, after in zip(values, values[1:], values[2:], strict=False)
    ]
    between = math.sqrt(sum(bend**2 for bend in bends) / (_VARIANCES * len(bends)))
    errors = [(run.error or 0.0) ** 2 for run in sampled]
    within = math.sqrt(statistics.fmean(errors)) if errors else None
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
    """Return the largest rise from first to last that a fitted straight line may have.

    This is the upper end of a one-sided confidence interval for the slope, from the residuals.
    """
    count = len(values)
    line = statistics.linear_regression(range(count), values)
    off = [value - line.intercept - line.slope * place for place, value in enumerate(values)]
    error = math.sqrt(sum(one**2 for one in off) / (count - 2) * 12 / (count * (count**2 - 1)))
    slope = line.slope + _t_quantile(_HIDDEN_LEVEL, count - 2) * error
    return max(slope * (count - 1), math.log1p(LEAST_RISE))


def _chance_of_a_window(length: int, window: int) -> float:
    """Return the significance level of one window: its part of what the trend leaves.

    Windows overlap and also require every step to rise, so only half of them are counted.
    """
    shares = shares_of_orders((1,) * length)
    used = max((share for share in shares if share <= _TREND_LEVEL), default=0.0)
    return (_LEVEL - used) / max(1.0, (length - window) / 2)


def _bends_freedom(bends: int) -> float:
    """Return the effective degrees of freedom of the second differences of a series."""
    pairs = sum(
        (1 if apart == 0 else 2) * max(0, bends - apart) * correlation**2
        for apart, correlation in enumerate(_NEIGHBOURS)
    )
    return bends**2 / pairs


@cache
def _t_quantile(chance: float, freedom: float) -> float:
    """Return the value that a t-distributed variable exceeds with this chance."""
    from scipy.stats import t

    return float(t.isf(chance, freedom))
