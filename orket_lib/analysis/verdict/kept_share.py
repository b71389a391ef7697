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
from functools import lru_cache
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
    tail = (1 - _CONFIDENCE) / 2
    return KeptShare(
        probability=probability_kept(counts, threshold),
        low=_quantile(counts, tail),
        middle=_quantile(counts, 0.5),
        high=_quantile(counts, 1 - tail),
    )


def probability_kept(counts: Overlap, threshold: float) -> float:
    """Return the probability that at least `threshold` of the baseline is kept."""
    return float(probabilities_kept(counts.both, counts.lost, counts.won, threshold))


def probabilities_kept(
    both: ArrayLike, lost: ArrayLike, won: ArrayLike, threshold: ArrayLike, nodes: int = NODES
) -> NDArray[numpy.float64]:
    """Return the same for many sets of counts together; the arguments broadcast.

    With X, Y, Z independent gamma variables for both, lost and won, u = Y / (Y + Z) and
    v = X / (X + Y + Z) are independent beta variables, and R >= t is a bound on v for a given u.
    The remaining integral over u is computed by Gauss-Legendre quadrature over its quantiles.
    """
    import numpy
    from scipy.special import betainc, betaincinv

    x, y, z, t = (numpy.asarray(item, float)[..., None] for item in (both, lost, won, threshold))
    x, y, z = x + PRIOR, y + PRIOR, z + PRIOR
    places, weights = quadrature(nodes)
    # R >= t  <=>  v (1 - t) >= (1 - v) ((1 + t) u - 1). Up to u = 1 / (1 + t) the right side is not
    # positive, so below t = 1 every v satisfies it there; above t = 1, none does beyond there.
    turn = betainc(y, z, 1 / (1 + t))
    start, end = numpy.where(t < 1, turn, 0.0), numpy.where(t < 1, 1.0, turn)
    u = betaincinv(y, z, start + places * (end - start))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        odds = numpy.maximum(((1 + t) * u - 1) / (1 - t), 0.0)
    under = betainc(x, y + z, odds / (1 + odds))
    inside = numpy.where(t < 1, 1 - under, under)
    inside = numpy.where(t == 1, 1.0, inside)
    integral = (end - start) * (inside * weights).sum(axis=-1, keepdims=True)
    found: NDArray[numpy.float64] = (numpy.where(t < 1, turn, 0.0) + integral)[..., 0]
    return found


def _quantile(counts: Overlap, chance: float) -> float:
    """Return a quantile of R."""
    from scipy.optimize import brentq

    def beyond(log_share: float) -> float:
        return 1 - probability_kept(counts, 10.0**log_share) - chance

    return float(10.0 ** brentq(beyond, -6, 6, xtol=1e-9))


@lru_cache
def quadrature(count: int) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Return nodes in 0..1 and their weights."""
    import numpy

    places, weights = numpy.polynomial.legendre.leggauss(count)
    return (places + 1) / 2, weights / 2
