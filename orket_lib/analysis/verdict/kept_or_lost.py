"""The verdict on one quant: kept, lost or undecided, and how many more tasks would decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.verdict.further_tasks import further_tasks
from orket_lib.analysis.verdict.kept_share import KeptShare, kept_share, probability_kept
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
