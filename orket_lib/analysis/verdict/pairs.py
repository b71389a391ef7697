"""Paired results of two quants on the tasks that both were asked, as four counts.

A task's score is the mean over its runs, so a task may be half kept and half lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


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


def paired(
    baseline: Mapping[str, float], quant: Mapping[str, float], tasks: Iterable[str]
) -> Overlap:
    """Return the counts over those of the given tasks that both were asked.

    Args:
        baseline: The baseline's score in 0..1 by task id.
        quant: The quant's.
        tasks: The tasks that count.
    """
    both = lost = won = neither = 0.0
    for task in tasks:
        if task in baseline and task in quant:
            ours, theirs = baseline[task], quant[task]
            both += min(ours, theirs)
            lost += max(0.0, ours - theirs)
            won += max(0.0, theirs - ours)
            neither += 1.0 - max(ours, theirs)
    return Overlap(both, lost, won, neither)
