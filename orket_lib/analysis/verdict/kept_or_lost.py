"""The verdict on one quant: kept, lost or undecided, and what it rests on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.verdict.kept_share import (
    COARSE,
    PRIOR,
    KeptShare,
    kept_share,
    probabilities_kept,
    probability_kept,
)
from orket_lib.analysis.verdict.pairs import Masses, paired
from orket_lib.vocabulary.verdicts import QuantVerdict

# KEPT is said above it, LOST as far from the other end: the 95 % interval of the kept share lies
# on one side of the threshold.
CERTAIN = 0.975


@dataclass(frozen=True)
class Judged:
    """What the tasks say of one quant.

    Attributes:
        verdict: Kept, lost or undecided.
        share: What is known of the kept share.
        masses: What was seen, in tasks.
        further_tasks: About how many more would probably decide; None where it is decided, or where
            more than is worth saying would be needed.
        hangs_on: The family of tasks without which another verdict would be likely; None mostly.
    """

    verdict: QuantVerdict
    share: KeptShare
    masses: Masses
    further_tasks: int | None
    hangs_on: str | None


def judge(
    baseline: Mapping[str, float],
    quant: Mapping[str, float],
    counted: Sequence[str],
    family_of: Mapping[str, str],
    threshold: float,
    certain: float = CERTAIN,
) -> Judged:
    """Return the verdict on a quant.

    Args:
        baseline: The baseline's score in 0..1 by task id.
        quant: The quant's.
        counted: The tasks that count, see `judged_tasks`.
        family_of: The family of each of them.
        threshold: Share of the baseline's adherence that must be kept.
        certain: The probability above which KEPT is said.
    """
    masses = paired(baseline, quant, counted)
    share = kept_share(masses, threshold)
    verdict = verdict_at(share.probability, certain)
    undecided = verdict is QuantVerdict.UNDECIDED
    return Judged(
        verdict=verdict,
        share=share,
        masses=masses,
        further_tasks=further_tasks(masses, threshold, certain) if undecided else None,
        hangs_on=_hangs_on(baseline, quant, counted, family_of, threshold, verdict),
    )


def verdict_at(probability: float, certain: float = CERTAIN) -> QuantVerdict:
    """Return what may be said at a probability of having kept the threshold."""
    if probability >= certain:
        return QuantVerdict.KEPT
    return QuantVerdict.LOST if probability <= 1 - certain else QuantVerdict.UNDECIDED


def _hangs_on(
    baseline: Mapping[str, float],
    quant: Mapping[str, float],
    counted: Sequence[str],
    family_of: Mapping[str, str],
    threshold: float,
    verdict: QuantVerdict,
) -> str | None:
    """Return the family without which the verdict would most likely be another one.

    Fewer tasks always say less; what counts is whether the rest points to the other side.
    """
    families = {family_of[task] for task in counted}
    if len(families) < 2:
        return None
    without = {
        family: probability_kept(
            paired(baseline, quant, [task for task in counted if family_of[task] != family]),
            threshold,
        )
        for family in sorted(families)
    }
    if verdict is QuantVerdict.KEPT:
        family = min(without, key=without.__getitem__)
        return family if without[family] < 0.5 else None
    family = max(without, key=without.__getitem__)
    limit = 0.5 if verdict is QuantVerdict.LOST else CERTAIN
    return family if without[family] > limit else None


_FUTURES = 200
# Beyond this, more tasks of the same kinds are not worth suggesting.
MOST_TASKS = 5000
_SEED = 0


def further_tasks(masses: Masses, threshold: float, certain: float) -> int | None:
    """Return about how many further tasks decide in at least half of the likely futures.

    Args:
        masses: What was seen.
        threshold: Share of the baseline's adherence that must be kept.
        certain: The probability above which KEPT is said.

    Returns:
        A round number of tasks of the same families in the same shares, or None for more than
        `MOST_TASKS`.
    """
    import numpy

    dice = numpy.random.default_rng(_SEED)
    seen = numpy.array([masses.both, masses.lost, masses.won, masses.neither])
    chances = dice.dirichlet(seen + PRIOR, size=_FUTURES)

    def decided(more: int) -> bool:
        counts = seen + dice.multinomial(more, chances)
        both, lost, won, _ = counts.T
        kept = probabilities_kept(both, lost, won, threshold, COARSE)
        return float(((kept >= certain) | (kept <= 1 - certain)).mean()) >= 0.5

    numbers = _round_numbers()
    place = bisect_left(numbers, True, key=decided)
    return numbers[place] if place < len(numbers) else None


def _round_numbers() -> list[int]:
    """Return 10, 15, 20, 30, 40, 60, 80, 100 ... : numbers that "about" goes with."""
    steps = (10, 15, 20, 30, 40, 60, 80)
    numbers = [step * 10**power for power in range(3) for step in steps]
    return [number for number in numbers if number <= MOST_TASKS]
