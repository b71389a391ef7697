"""The posterior of the share of the baseline's adherence that a quant keeps.

The four counts of `pairs` are multinomial. With half a count added to each (Jeffreys prior), their
probabilities have a Dirichlet posterior. The kept share is

    R = (both + won) / (both + lost),

the quant's adherence over the baseline's; `neither` cancels out. The half counts matter: 60 tasks
without a difference don't prove that nothing is ever lost.

Source: Gelman et al., Bayesian Data Analysis, 3rd edition, 3.4 (multinomial with Dirichlet prior).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.pairs import Overlap

if TYPE_CHECKING:
    import numpy
    from numpy.typing import ArrayLike, NDArray

PRIOR = 0.5
# Nodes of the quadrature. Twice as many change no probability by more than 3e-5; a third is enough
# for averages over many simulated sweeps (3e-4).
NODES = 100
COARSE = 32
MOST_BOTH = 2**16
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class KeptShare:
    """Posterior of the kept share.

    Attributes:
        probability: Probability that at least the threshold is kept.
        low: Lower end of the 95 % interval.
        middle: Median.
        high: Upper end; above 1 the quant may be better than its baseline.
    """

    probability: float
    low: float
    middle: float
    high: float


def kept_share(counts: Overlap, threshold: float) -> KeptShare:
    """Return the posterior of the kept share.

    Args:
        counts: Paired results, in tasks.
        threshold: Share that must be kept, above 0.
    """
    return _kept_share(counts.both, counts.lost, counts.won, threshold)


def probability_kept(counts: Overlap, threshold: float) -> float:
    """Return the probability that at least `threshold` of the baseline is kept."""
    return _probability(counts.both, counts.lost, counts.won, threshold)


def probabilities_kept(
    both: ArrayLike, lost: ArrayLike, won: ArrayLike, threshold: ArrayLike, nodes: int = NODES
) -> NDArray[numpy.float64]:
    """Return the same for many sets of counts together; the arguments broadcast."""
    import numpy

    x, y, z, t = (numpy.asarray(item, float)[..., None] for item in (both, lost, won, threshold))
    return _Flips.of(y + PRIOR, z + PRIOR, t, nodes).probability(x + PRIOR)


def least_both(
    lost: ArrayLike, won: ArrayLike, threshold: float, probability: float
) -> NDArray[numpy.int64]:
    """Return the fewest tasks right in both that reach a probability of keeping the threshold.

    More of them never lower it, so that a bisection finds them.

    Args:
        lost: Counts, shape (n,).
        won: Counts, shape (n,).
        threshold: Share that must be kept, at most 1.
        probability: To be reached.

    Returns:
        `MOST_BOTH` where that many don't reach it.
    """
    import numpy

    y, z = (numpy.asarray(item, float)[..., None] + PRIOR for item in (lost, won))
    flips = _Flips.of(y, z, numpy.asarray(threshold, float)[..., None], COARSE)
    low = numpy.zeros(len(y), dtype=numpy.int64)
    high = numpy.full(len(y), MOST_BOTH)
    while (low < high).any():
        middle = (low + high) // 2
        reached = flips.probability(middle[..., None] + PRIOR) >= probability
        low, high = numpy.where(reached, low, middle + 1), numpy.where(reached, middle, high)
    return low


@dataclass(frozen=True)
class _Flips:
    """What is known of R from the flips alone, at the nodes of the quadrature.

    With X, Y, Z independent gamma variables for both, lost and won, u = Y / (Y + Z) and
    v = X / (X + Y + Z) are independent beta variables, and R >= t is a bound on v for a given u.
    The remaining integral over u is computed by Gauss-Legendre quadrature over its quantiles.
    """

    flips: NDArray[numpy.float64]  # Y + Z
    threshold: NDArray[numpy.float64]
    always: NDArray[numpy.float64]  # chance of a u for which every v will do
    weights: NDArray[numpy.float64]
    bounds: NDArray[numpy.float64]  # of v at each node

    @classmethod
    def of(
        cls,
        y: NDArray[numpy.float64],
        z: NDArray[numpy.float64],
        t: NDArray[numpy.float64],
        nodes: int,
    ) -> _Flips:
        """Return the flips' part; the last axis of the arguments is that of the nodes."""
        import numpy
        from scipy.special import betainc, betaincinv

        places, weights = quadrature(nodes)
        # R >= t  <=>  v (1 - t) >= (1 - v) ((1 + t) u - 1). Up to u = 1 / (1 + t) the right side
        # is not positive, so below t = 1 every v satisfies it there; above t = 1, none does beyond.
        turn = betainc(y, z, 1 / (1 + t))
        start, end = numpy.where(t < 1, turn, 0.0), numpy.where(t < 1, 1.0, turn)
        u = betaincinv(y, z, start + places * (end - start))
        with numpy.errstate(divide="ignore", invalid="ignore"):
            odds = numpy.maximum(((1 + t) * u - 1) / (1 - t), 0.0)
            bounds = odds / (1 + odds)
        return cls(y + z, t, numpy.where(t < 1, turn, 0.0), (end - start) * weights, bounds)

    def probability(self, x: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        """Return the probability of R >= t for so many right in both, without the last axis."""
        import numpy
        from scipy.special import betainc

        under = betainc(x, self.flips, self.bounds)
        inside = numpy.where(self.threshold < 1, 1 - under, under)
        inside = numpy.where(self.threshold == 1, 1.0, inside)
        integral = (inside * self.weights).sum(axis=-1, keepdims=True)
        found: NDArray[numpy.float64] = (self.always + integral)[..., 0]
        return found


# Of the rows of many models most have counts seen before.
@cache
def _kept_share(both: float, lost: float, won: float, threshold: float) -> KeptShare:
    tail = (1 - _CONFIDENCE) / 2
    return KeptShare(
        probability=_probability(both, lost, won, threshold),
        low=_quantile(both, lost, won, tail),
        middle=_quantile(both, lost, won, 0.5),
        high=_quantile(both, lost, won, 1 - tail),
    )


@cache
def _probability(both: float, lost: float, won: float, threshold: float) -> float:
    return float(probabilities_kept(both, lost, won, threshold))


def _quantile(both: float, lost: float, won: float, chance: float) -> float:
    """Return a quantile of R."""
    from scipy.optimize import brentq

    def beyond(log_share: float) -> float:
        return 1 - float(probabilities_kept(both, lost, won, 10.0**log_share)) - chance

    return float(10.0 ** brentq(beyond, -6, 6, xtol=1e-9))


@cache
def quadrature(count: int) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Return nodes in 0..1 and their weights."""
    import numpy

    places, weights = numpy.polynomial.legendre.leggauss(count)
    return (places + 1) / 2, weights / 2
