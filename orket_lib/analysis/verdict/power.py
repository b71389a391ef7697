"""What a number of tasks can decide: said in the plan, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS
from orket_lib.analysis.verdict.simulation import Truth, said
from orket_lib.vocabulary.units import counted

# A usual model and bank: real ones differ, and the sentence names these.
RIGHT, CHURN = 0.7, 0.01
_KEPT, _LOST = 1.0, 0.9
_SWEEPS = 500


def can_decide(ends: Sequence[int], threshold: float) -> str:
    """Return in words how often sweeps of so many tasks come to a verdict.

    Args:
        ends: Tasks that have been asked after each batch; one number for all at once.
        threshold: Share of the baseline's adherence that must be kept.
    """
    import numpy

    tasks = ends[-1]
    if tasks < FEWEST_TASKS:
        return (
            f"{counted(tasks, 'task')}, too few for a verdict, which needs at least {FEWEST_TASKS}"
        )
    dice = numpy.random.default_rng(0)
    proved = said(dice, _SWEEPS, ends, Truth(RIGHT, _KEPT, CHURN), threshold).kept
    found = said(dice, _SWEEPS, ends, Truth(RIGHT, _LOST, CHURN), threshold).lost
    return (
        f"{tasks} tasks: a quant that keeps everything is proved in about {_of_10(proved)} "
        f"sweeps; a loss of {1 - _LOST:.0%} is found in {_of_10(found)} (simulated for a baseline "
        f"that answers {RIGHT:.0%} of the tasks, and {CHURN:.0%} of answers that flip by chance)"
    )


def _of_10(share: float) -> str:
    return f"{share * 10:.0f} of 10" if share >= 0.05 else "fewer than 1 of 20"
