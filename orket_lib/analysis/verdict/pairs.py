"""Paired results of two quants on the tasks that both were asked, as four counts.

A task's score is the mean over its runs, so a task may be half kept and half lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from operator import add


@dataclass(frozen=True)
class Overlap:
    """How two quants' scores overlap, in tasks.

    Attributes:
        both: Right in both.
        lost: Right in the baseline only.
        won: Right in the quant only.
        neither: Wrong in both.
    """

    both: float = 0.0
    lost: float = 0.0
    won: float = 0.0
    neither: float = 0.0

    @property
    def tasks(self) -> float:
        """How many tasks were compared."""
        return self.both + self.lost + self.won + self.neither

    def __add__(self, other: Overlap) -> Overlap:
        """Return the counts of two sets of tasks that share none."""
        return Overlap(*map(add, astuple(self), astuple(other)))


def counts_of(baseline: float, quant: float) -> Overlap:
    """Return the counts of one task from its two scores in 0..1."""
    return Overlap(
        both=min(baseline, quant),
        lost=max(0.0, baseline - quant),
        won=max(0.0, quant - baseline),
        neither=1.0 - max(baseline, quant),
    )


def paired(
    baseline: Mapping[str, float], quant: Mapping[str, float], tasks: Iterable[str]
) -> Overlap:
    """Return the counts over those of the given tasks that both were asked.

    Args:
        baseline: The baseline's score in 0..1 by task id.
        quant: The quant's.
        tasks: The tasks that count.
    """
    total = Overlap()
    for task in tasks:
        if task in baseline and task in quant:
            total += counts_of(baseline[task], quant[task])
    return total
