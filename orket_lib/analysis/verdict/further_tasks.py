"""How many more tasks would decide about a quant."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.kept_share import COARSE, PRIOR, probabilities_kept
from orket_lib.analysis.verdict.pairs import Overlap

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

# Larger numbers of tasks are not worth suggesting.
MOST_TASKS = 5000
_FUTURES = 200
_SEED = 0
# By how much `normal_score` may be wrong, in standard deviations; twice what is found near the
# probabilities of verdicts.
_MARGIN = 0.25


@cache
def further_tasks(counts: Overlap, threshold: float, certain: float) -> int | None:
    """Return about how many further tasks would decide in at least half of simulated futures.

    Futures are drawn from the posterior predictive distribution.

    Args:
        counts: Paired results so far.
        threshold: Share of the baseline's adherence that must be kept.
        certain: Probability needed for KEPT.

    Returns:
        A round number of tasks of the same families in the same shares, or None for more than
        `MOST_TASKS`.
    """
    import numpy

    dice = numpy.random.default_rng(_SEED)
    seen = numpy.array([counts.both, counts.lost, counts.won, counts.neither])
    chances = dice.dirichlet(seen + PRIOR, size=_FUTURES)

    def decided(more: int) -> bool:
        futures = seen + dice.multinomial(more, chances)
        return most_decide(futures[:, :3].astype(float), threshold, certain)

    numbers = _round_numbers()
    place = bisect_left(numbers, True, key=decided)
    return numbers[place] if place < len(numbers) else None


def most_decide(futures: NDArray[numpy.float64], threshold: float, certain: float) -> bool:
    """Tell whether at least half of the futures come to a verdict.

    Most futures are far from the certainty needed, so that the saddlepoint approximation tells; its
    error decides nothing, because what is closer is computed by quadrature.

    Args:
        futures: Both, lost and won of each in the last axis.
        threshold: Share of the baseline's adherence that must be kept.
        certain: Probability needed for KEPT.
    """
    from scipy.special import ndtri

    distance = abs(normal_score(futures, threshold)) - ndtri(certain)
    half = len(futures) / 2
    decided = int((distance >= _MARGIN).sum())
    close = abs(distance) < _MARGIN
    if decided >= half or decided + int(close.sum()) < half:
        return decided >= half
    both, lost, won = futures[close].T
    kept = probabilities_kept(both, lost, won, threshold, COARSE)
    return decided + int(((kept >= certain) | (kept <= 1 - certain)).sum()) >= half


def normal_score(futures: NDArray[numpy.float64], threshold: float) -> NDArray[numpy.float64]:
    """Return about the normal quantile of the probability of having kept the threshold.

    With X, Y, Z as in `kept_share`, it is kept if (1 - t) X + Z - t Y >= 0. The sum of the three
    has the cumulant function K(s) = -x log(1 - (1 - t) s) - z log(1 - s) - y log(1 + t s), and its
    saddlepoint K'(s) = 0 is a root of a quadratic equation. Source: Barndorff-Nielsen's r*, in
    Butler, Saddlepoint Approximations with Applications, 2007, 1.2 and 5.

    Args:
        futures: Both, lost and won of each in the last axis.
        threshold: Share of the baseline's adherence that must be kept, at most 1.
    """
    import numpy

    x, y, z = numpy.moveaxis(futures, -1, 0) + PRIOR
    t, a = threshold, 1 - threshold
    square = -a * t * (x + y + z)
    linear = z * (t - a) - x * a * a + y * t * (1 + a)
    constant = x * a + z - y * t
    s = -2 * constant / (linear + numpy.sqrt(linear**2 - 4 * square * constant))
    cumulant = -x * numpy.log1p(-a * s) - z * numpy.log1p(-s) - y * numpy.log1p(t * s)
    root = numpy.sign(s) * numpy.sqrt(numpy.maximum(-2 * cumulant, 0.0))
    curvature = x * (a / (1 - a * s)) ** 2 + z / (1 - s) ** 2 + y * (t / (1 + t * s)) ** 2
    with numpy.errstate(divide="ignore", invalid="ignore"):
        corrected = root + numpy.log(s * numpy.sqrt(curvature) / root) / root
    # Near the middle, where it is 0 / 0, the correction is small.
    score: NDArray[numpy.float64] = -numpy.where(abs(root) < 1, root, corrected)
    return score


def _round_numbers() -> list[int]:
    """Return 10, 15, 20, 30, 40, 60, 80, 100 ... : numbers for use with "about"."""
    steps = (10, 15, 20, 30, 40, 60, 80)
    numbers = [step * 10**power for power in range(3) for step in steps]
    return [number for number in numbers if number <= MOST_TASKS]
