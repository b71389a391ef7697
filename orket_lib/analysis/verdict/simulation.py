"""Simulated sweeps: how often verdicts are wrong, and how often they are found.

In a simulated sweep the baseline answers each task right with a certain chance. *Churn* is the
chance that a task flips in favour of the quant; against it flip as many, and those that are truly
lost. The sweep looks at its tasks in batches, by the same rules as a real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS
from orket_lib.analysis.verdict.kept_share import least_both
from orket_lib.analysis.verdict.looks import certain_at

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Counts = NDArray[numpy.int64]  # of both, lost, won, neither in the last axis

_AT_ONCE = 4000  # pairs of counts, which bounds the memory


@dataclass(frozen=True)
class Truth:
    """What is true of a simulated quant.

    Attributes:
        right: Chance that the baseline answers a task right.
        kept: Share of the baseline's adherence that the quant truly keeps.
        churn: Chance that a task flips in its favour.
    """

    right: float
    kept: float
    churn: float

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Return the chances of both, lost, won and neither."""
        lost = self.churn + self.right * (1 - self.kept)
        return self.right - lost, lost, self.churn, 1 - self.right - self.churn


@dataclass(frozen=True)
class Said:
    """What simulated sweeps say.

    Attributes:
        kept: Share of the sweeps that say KEPT.
        lost: Share of the sweeps that say LOST.
        asked: Mean share of the tasks that were asked.
    """

    kept: float
    lost: float
    asked: float


def said(
    dice: numpy.random.Generator, sweeps: int, ends: Sequence[int], truth: Truth, threshold: float
) -> Said:
    """Return what sweeps say of a quant.

    Args:
        dice: Random numbers.
        sweeps: How many are simulated.
        ends: Tasks that have been asked after each batch; one number for all at once.
        truth: Of the quant.
        threshold: Share of the baseline's adherence that must be kept.
    """
    import numpy

    counts = numpy.zeros((sweeps, 4), dtype=numpy.int64)
    asked = kept = lost = tasks = 0
    for batch, end in enumerate(ends, start=1):
        tasks += len(counts) * (end - asked)
        counts = counts + dice.multinomial(end - asked, truth.shares, size=len(counts))
        asked = end
        certain = certain_at(batch, len(ends))
        keeps, loses = is_kept(counts, threshold, certain), is_lost(counts, threshold, certain)
        kept += int(keeps.sum())
        lost += int(loses.sum())
        counts = counts[~(keeps | loses)]
    return Said(kept / sweeps, lost / sweeps, tasks / (sweeps * ends[-1]))


def is_kept(counts: Counts, threshold: float, certain: float) -> NDArray[numpy.bool_]:
    """Tell which sweeps say KEPT; none with fewer than `FEWEST_TASKS`.

    Args:
        counts: Of both, lost, won and neither in the last axis.
        threshold: Share of the baseline's adherence that must be kept.
        certain: Probability needed.
    """
    enough: NDArray[numpy.bool_] = counts.sum(axis=-1) >= FEWEST_TASKS
    return enough & reaches(counts, threshold, certain)


def is_lost(counts: Counts, threshold: float, certain: float) -> NDArray[numpy.bool_]:
    """Tell which sweeps say LOST; the arguments are those of `is_kept`."""
    enough: NDArray[numpy.bool_] = counts.sum(axis=-1) >= FEWEST_TASKS
    return enough & ~reaches(counts, threshold, 1 - certain)


def reaches(counts: Counts, threshold: float, probability: float) -> NDArray[numpy.bool_]:
    """Tell where the probability of having kept the threshold is at least the given one."""
    import numpy

    pairs, places = numpy.unique(counts[..., 1:3].reshape(-1, 2), axis=0, return_inverse=True)
    needed = fewest_both(pairs, threshold, probability)[places.ravel()]
    found: NDArray[numpy.bool_] = counts[..., 0] >= needed.reshape(counts.shape[:-1])
    return found


def fewest_both(pairs: Counts, threshold: float, probability: float) -> Counts:
    """Return `least_both` of each pair of lost and won, shape (n, 2); each is computed once."""
    import numpy

    known = _known(threshold, round(probability, 9))
    keys = [(lost, won) for lost, won in pairs.tolist()]
    new = numpy.array([key for key in keys if key not in known]).reshape(-1, 2)
    for part in numpy.array_split(new, len(new) // _AT_ONCE + 1):
        least = least_both(part[:, 0], part[:, 1], threshold, probability)
        known.update(zip(map(tuple, part.tolist()), least.tolist(), strict=True))
    return numpy.array([known[key] for key in keys], dtype=numpy.int64)


@lru_cache
def _known(threshold: float, probability: float) -> dict[tuple[int, ...], int]:
    return {}
