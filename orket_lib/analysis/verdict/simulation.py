"""Simulated sweeps: how often verdicts are wrong, and how often they are found.

In a simulated sweep the baseline answers each task right with a certain chance. *Churn* is the
chance that a task flips in favour of the quant; against it flip as many, and those that are truly
lost. The sweep looks at its tasks in batches, by the same rules as a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS
from orket_lib.analysis.verdict.kept_share import COARSE, probabilities_kept
from orket_lib.analysis.verdict.looks import certain_at
from orket_lib.vocabulary.statuses import QuantVerdict

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Counts = NDArray[numpy.float64]  # of both, lost, won, neither in the last axis

_AT_ONCE = 4000  # counts, which bounds the memory
_UNKNOWN = 0.5  # probability of a sweep with too few tasks


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

    counts, asked = numpy.zeros((sweeps, 4)), 0
    verdicts = dict.fromkeys((QuantVerdict.KEPT, QuantVerdict.LOST), 0)
    tasks = 0
    for batch, end in enumerate(ends, start=1):
        new = drawn(dice, len(counts), end - asked, truth)
        tasks += len(counts) * (end - asked)
        counts, asked = counts + new, end
        probabilities = chances(counts, threshold)
        certain = certain_at(batch, len(ends))
        kept, lost = probabilities >= certain, probabilities <= 1 - certain
        verdicts[QuantVerdict.KEPT] += int(kept.sum())
        verdicts[QuantVerdict.LOST] += int(lost.sum())
        counts = counts[~(kept | lost)]
    return Said(
        verdicts[QuantVerdict.KEPT] / sweeps,
        verdicts[QuantVerdict.LOST] / sweeps,
        tasks / (sweeps * ends[-1]),
    )


def drawn(dice: numpy.random.Generator, sweeps: int, tasks: int, truth: Truth) -> Counts:
    """Return the counts of so many tasks in each sweep, shape (sweeps, 4)."""
    lost = truth.churn + truth.right * (1 - truth.kept)
    shares = [truth.right - lost, lost, truth.churn, 1 - truth.right - truth.churn]
    return dice.multinomial(tasks, shares, size=sweeps).astype(float)


def chances(counts: Counts, threshold: float) -> NDArray[numpy.float64]:
    """Return each sweep's probability of having kept the threshold; 0.5 where too few count.

    Args:
        counts: Shape (sweeps, 4).
        threshold: Share of the baseline's adherence that must be kept.
    """
    import numpy

    if not len(counts):
        return numpy.zeros(0)
    different, places = numpy.unique(counts, axis=0, return_inverse=True)
    pieces = [
        probabilities_kept(part[:, 0], part[:, 1], part[:, 2], threshold, COARSE)
        for part in _pieces(different)
    ]
    found = numpy.concatenate(pieces)[places.ravel()]
    return numpy.where(counts.sum(axis=-1) < FEWEST_TASKS, _UNKNOWN, found)


def _pieces(counts: Counts) -> Iterator[Counts]:
    import numpy

    yield from numpy.array_split(counts, len(counts) // _AT_ONCE + 1)
