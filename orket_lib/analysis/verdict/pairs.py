"""Two quants on the tasks that both were asked, as four masses.

A task's score lies in 0..1 (the mean over its runs), so that a task may be half kept and half lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Masses:
    """How two quants' scores overlap, in tasks.

    Attributes:
        both: What both got right.
        lost: What the baseline got right and the quant did not.
        won: What the quant got right and the baseline did not.
        neither: The rest.
    """

    both: float = 0.0
    lost: float = 0.0
    won: float = 0.0
    neither: float = 0.0

    @property
    def tasks(self) -> float:
        """How many tasks were compared."""
        return self.both + self.lost + self.won + self.neither

    def __add__(self, other: Masses) -> Masses:
        """Return the masses of two sets of tasks that share none."""
        return Masses(
            self.both + other.both,
            self.lost + other.lost,
            self.won + other.won,
            self.neither + other.neither,
        )

    def __sub__(self, other: Masses) -> Masses:
        """Return what is left when a part of the tasks is taken out."""
        return Masses(
            self.both - other.both,
            self.lost - other.lost,
            self.won - other.won,
            self.neither - other.neither,
        )


def masses_of(baseline: float, quant: float) -> Masses:
    """Return the masses of one task from its two scores in 0..1."""
    return Masses(
        both=min(baseline, quant),
        lost=max(0.0, baseline - quant),
        won=max(0.0, quant - baseline),
        neither=1.0 - max(baseline, quant),
    )


def paired(
    baseline: Mapping[str, float], quant: Mapping[str, float], tasks: Iterable[str]
) -> Masses:
    """Return the masses over those of the given tasks that both were asked.

    Args:
        baseline: The baseline's score in 0..1 by task id.
        quant: The quant's.
        tasks: Which count.
    """
    total = Masses()
    for task in tasks:
        if task in baseline and task in quant:
            total += masses_of(baseline[task], quant[task])
    return total
