"""The posterior of the difference between two adherences on the same tasks.

The four counts of `pairs` have a Dirichlet posterior with half a count added to each, as for the
kept share. The difference D = p_lost - p_won is how far the second one is behind the first. How
often they differ, s = p_lost + p_won, and which share of that was lost, u = p_lost / s, are
independent beta variables, and D = s (2u - 1).
"""

from __future__ import annotations

from functools import cache

from orket_lib.analysis.verdict.kept_share import NODES, PRIOR, quadrature
from orket_lib.analysis.verdict.pairs import Overlap
from orket_lib.artifacts.views.ranking import Behind

_CONFIDENCE = 0.95


def behind(counts: Overlap) -> Behind:
    """Return how far the second one is behind the first, with its 95 % interval.

    Args:
        counts: Paired results of at least one task; `lost` are those that only the first got right.
    """
    tail = (1 - _CONFIDENCE) / 2
    seen = counts.both + counts.neither, counts.lost, counts.won
    return Behind(
        adherence=(counts.lost - counts.won) / counts.tasks,
        low=_quantile(*seen, tail),
        high=_quantile(*seen, 1 - tail),
    )


def chance_at_most(same: float, lost: float, won: float, difference: float) -> float:
    """Return the probability that the second one is behind by at most a difference.

    Args:
        same: Tasks that both got right, or both wrong.
        lost: Tasks that only the first got right.
        won: Tasks that only the second got right.
        difference: From -1 to 1.
    """
    import numpy
    from scipy.special import betainc, betaincinv

    same, lost, won = same + 2 * PRIOR, lost + PRIOR, won + PRIOR
    ahead = float(betainc(lost, won, 0.5))  # P(u <= 0.5): the second one is not behind at all
    if difference == 0:
        return ahead
    # Only one half of u can bring D beyond the given difference on that side of 0.
    start, end = (ahead, 1.0) if difference > 0 else (0.0, ahead)
    places, weights = quadrature(NODES)
    u = betaincinv(lost, won, start + places * (end - start))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        needed = numpy.clip(difference / (2 * u - 1), 0.0, 1.0)
    needed[numpy.isnan(needed)] = 1.0
    under = betainc(lost + won, same, needed)
    inside = under if difference > 0 else 1 - under
    return float((ahead if difference > 0 else 0.0) + (end - start) * (inside * weights).sum())


@cache
def _quantile(same: float, lost: float, won: float, chance: float) -> float:
    from scipy.optimize import brentq

    def beyond(difference: float) -> float:
        return chance_at_most(same, lost, won, difference) - chance

    return float(brentq(beyond, -1.0, 1.0, xtol=1e-9))
