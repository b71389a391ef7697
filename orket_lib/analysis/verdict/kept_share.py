"""The posterior of the share that a quant keeps of its baseline.

The four masses of `pairs` are counts of a multinomial; with half a count more in each (Jeffreys'
prior) the chances behind them have a Dirichlet posterior. The kept share is

    R = (both + won) / (both + lost),

the quant's adherence over the baseline's. `neither` cancels out. The half-counts matter: 60 tasks
without a flip are no proof that nothing is ever lost.

Source: Gelman et al., Bayesian Data Analysis, 3rd edition, 3.4 (multinomial with Dirichlet prior).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.pairs import Masses

if TYPE_CHECKING:
    import numpy
    from numpy.typing import ArrayLike, NDArray

PRIOR = 0.5
# Of the quadrature. Twice as many change no probability by more than 3e-5; a third of them are
# enough for what is counted over many simulated sweeps (3e-4).
NODES = 100
COARSE = 32
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class KeptShare:
    """What is known of the share that is kept.

    Attributes:
        probability: That at least the threshold is kept.
        low: Lower end of the 95 % interval of the share.
        middle: Its median.
        high: Upper end; above 1 the quant may be better than its baseline.
    """

    probability: float
    low: float
    middle: float
    high: float


def kept_share(masses: Masses, threshold: float) -> KeptShare:
    """Return the posterior of the kept share.

    Args:
        masses: What was seen, in tasks.
        threshold: Share that must be kept, above 0.
    """
    tail = (1 - _CONFIDENCE) / 2
    return KeptShare(
        probability=probability_kept(masses, threshold),
        low=_quantile(masses, tail),
        middle=_quantile(masses, 0.5),
        high=_quantile(masses, 1 - tail),
    )


def probability_kept(masses: Masses, threshold: float) -> float:
    """Return the probability that at least `threshold` of the baseline is kept."""
    return float(probabilities_kept(masses.both, masses.lost, masses.won, threshold))


def probabilities_kept(
    both: ArrayLike, lost: ArrayLike, won: ArrayLike, threshold: ArrayLike, nodes: int = NODES
) -> NDArray[numpy.float64]:
    """Return the same for many sets of masses at once; the arguments broadcast.

    With X, Y, Z independent gamma variables for both, lost and won, u = Y / (Y + Z) and
    v = X / (X + Y + Z) are independent beta variables, and R >= t is a bound on v once u is given.
    So one integral over u is left, taken at Gauss and Legendre's nodes on its quantiles.
    """
    import numpy
    from scipy.special import betainc, betaincinv

    x, y, z, t = (numpy.asarray(item, float)[..., None] for item in (both, lost, won, threshold))
    x, y, z = x + PRIOR, y + PRIOR, z + PRIOR
    places, weights = _nodes(nodes)
    # R >= t  <=>  v (1 - t) >= (1 - v) ((1 + t) u - 1). Up to u = 1 / (1 + t) the right side is not
    # positive: below t = 1 every v will do there, above it none will beyond there.
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


def _quantile(masses: Masses, chance: float) -> float:
    """Return the share below which R lies with a chance."""
    from scipy.optimize import brentq

    def beyond(log_share: float) -> float:
        return 1 - probability_kept(masses, 10.0**log_share) - chance

    return float(10.0 ** brentq(beyond, -6, 6, xtol=1e-9))


@lru_cache
def _nodes(count: int) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Return nodes in 0..1 and their weights."""
    import numpy

    places, weights = numpy.polynomial.legendre.leggauss(count)
    return (places + 1) / 2, weights / 2
