"""The verdict on one quant: kept, lost or undecided, and how many more tasks would decide."""

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
from orket_lib.analysis.verdict.pairs import Overlap, paired
from orket_lib.vocabulary.statuses import QuantVerdict

# Probability for KEPT; LOST needs the same certainty of the opposite. Then the 95 % interval of the
# kept share lies on one side of the threshold.
CERTAIN = 0.975


@dataclass(frozen=True)
class Judged:
    """The verdict on one quant.

    Attributes:
        verdict: Kept, lost or undecided.
        share: Posterior of the kept share.
        counts: Paired results, in tasks.
        further_tasks: About how many more tasks would probably decide; None if it is decided, or
            if more than `MOST_TASKS` were needed.
        hangs_on: The family of tasks without which another verdict would be likely, if any.
    """

    verdict: QuantVerdict
    share: KeptShare
    counts: Overlap
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
        certain: Probability needed for KEPT.
    """
    counts = paired(baseline, quant, counted)
    share = kept_share(counts, threshold)
    verdict = verdict_at(share.probability, certain)
    undecided = verdict is QuantVerdict.UNDECIDED
    return Judged(
        verdict=verdict,
        share=share,
        counts=counts,
        further_tasks=further_tasks(counts, threshold, certain) if undecided else None,
        hangs_on=_hangs_on(baseline, quant, counted, family_of, threshold, verdict),
    )


def verdict_at(probability: float, certain: float = CERTAIN) -> QuantVerdict:
    """Return the verdict at a probability of keeping the threshold."""
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

    Fewer tasks are always less certain; a family matters if the rest points to the other side.
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
# Larger numbers of tasks are not worth suggesting.
MOST_TASKS = 5000
_SEED = 0


def further_tasks(counts: Overlap, threshold: float, certain: float) -> int | None:
    """Return about how many further tasks would decide in at least half of simulated futures.

    Futures are drawn from the posterior predictive distribution.

    Args:
        counts: Paired results so far.
        threshold: Share of the baseline's adherence that must be kept.
        certain: Probability needed for KEPT.

    Returns:
        A round number of tasks of the same families in the same shares, or None for more than
        `MOST_TASKS`.
    """
    import numpy

    dice = numpy.random.default_rng(_SEED)
    seen = numpy.array([counts.both, counts.lost, counts.won, counts.neither])
    chances = dice.dirichlet(seen + PRIOR, size=_FUTURES)

    def decided(more: int) -> bool:
        both, lost, won, _ = (seen + dice.multinomial(more, chances)).T
        kept = probabilities_kept(both, lost, won, threshold, COARSE)
        return float(((kept >= certain) | (kept <= 1 - certain)).mean()) >= 0.5

    numbers = _round_numbers()
    place = bisect_left(numbers, True, key=decided)
    return numbers[place] if place < len(numbers) else None


def _round_numbers() -> list[int]:
    """Return 10, 15, 20, 30, 40, 60, 80, 100 ... : numbers for use with "about"."""
    steps = (10, 15, 20, 30, 40, 60, 80)
    numbers = [step * 10**power for power in range(3) for step in steps]
    return [number for number in numbers if number <= MOST_TASKS]
