"""Would a new sweep pick the same? By new sweeps drawn from the posterior predictive.

Every draw is a sweep of new tasks of the same families, as many of each. The baseline's answers are
drawn first and shared by all quants, as in a real sweep; each quant's follow from them. Tasks that
were asked, drawn again, would agree with themselves far too often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.kept_share import COARSE, PRIOR, probabilities_kept
from orket_lib.analysis.verdict.pairs import Masses

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SWEEPS = 2000
_SEED = 0


@dataclass(frozen=True)
class Stability:
    """How new sweeps would pick.

    Attributes:
        same: Share of them that pick the same.
        runner_up: What the others pick most often; None where they agree, or pick nothing.
    """

    same: float
    runner_up: str | None


def stability(
    families: Mapping[str, Mapping[str, Masses]],
    threshold: float,
    chosen: str | None,
    picks: Callable[[Mapping[str, float]], str | None],
) -> Stability:
    """Return how stable a pick is.

    Args:
        families: By family, each quant's masses against the baseline; every quant in each.
        threshold: Share of the baseline's adherence that must be kept.
        chosen: What this sweep picked.
        picks: What a sweep picks from each quant's probability of keeping the threshold.
    """
    import numpy

    dice = numpy.random.default_rng(_SEED)
    quants = list(next(iter(families.values())))
    sums = {quant: numpy.zeros((SWEEPS, 3)) for quant in quants}
    tasks = sum(_size(masses) for masses in families.values())
    for masses in families.values():
        share = _size(masses) / tasks  # the half-counts of the prior are spread over the families
        for quant, drawn in _family(masses, PRIOR * share, dice).items():
            sums[quant] += drawn
    chances = [_chances(sums[quant], threshold) for quant in quants]
    found = Counter(
        picks(dict(zip(quants, map(float, values), strict=True)))
        for values in zip(*chances, strict=True)
    )
    others = [quant for quant, _ in found.most_common() if quant not in (chosen, None)]
    return Stability(found[chosen] / SWEEPS, others[0] if others else None)


def _chances(counts: NDArray[numpy.float64], threshold: float) -> NDArray[numpy.float64]:
    """Return the probability of each sweep; those with the same counts are worked out once."""
    import numpy

    different, places = numpy.unique(counts, axis=0, return_inverse=True)
    both, lost, won = different.T
    return probabilities_kept(both, lost, won, threshold, COARSE)[places.ravel()]


def _family(
    masses: Mapping[str, Masses], prior: float, dice: numpy.random.Generator
) -> dict[str, NDArray[numpy.float64]]:
    """Return both, lost and won of each quant in every new sweep, shape (sweeps, 3)."""
    first = next(iter(masses.values()))
    size = round(_size(masses))
    right = _share(first.both + first.lost, first.won + first.neither, 2 * prior, dice)
    answered = dice.binomial(size, right)
    drawn = {}
    for quant, seen in masses.items():
        both = dice.binomial(answered, _share(seen.both, seen.lost, prior, dice))
        won = dice.binomial(size - answered, _share(seen.won, seen.neither, prior, dice))
        drawn[quant] = _columns([both, answered - both, won])
    return drawn


def _share(
    yes: float, no: float, prior: float, dice: numpy.random.Generator
) -> NDArray[numpy.float64]:
    return dice.beta(yes + prior, no + prior, size=SWEEPS)


def _columns(values: Sequence[NDArray[numpy.int64]]) -> NDArray[numpy.float64]:
    import numpy

    return numpy.stack(values, axis=-1).astype(float)


def _size(masses: Mapping[str, Masses]) -> float:
    return next(iter(masses.values())).tasks
