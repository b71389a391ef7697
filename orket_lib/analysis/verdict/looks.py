"""Looks: between batches of tasks, which quants are decided or can't change the pick any more.

Looking several times gives a false verdict several chances. So all looks but the last ask for more
certainty: with 0.995 early and 0.975 at the last one, the share of false KEPT over all looks stays
about that of a single look at all tasks (`python tools/verdict_tables.py` simulates it).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

from orket_lib.analysis.verdict.baseline import Baseline, QuantScores, baseline_among
from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS, MASTERED, JudgedTask, tasks_of
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN, verdict_at
from orket_lib.analysis.verdict.kept_share import probability_kept
from orket_lib.analysis.verdict.pairs import paired
from orket_lib.analysis.verdict.sentences import chance
from orket_lib.artifacts.views.look import LookedQuant
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.vocabulary.statuses import DropReason, Prefer, QuantVerdict

EARLY = 0.995


@dataclass(frozen=True)
class LookPolicy:
    """What a look depends on besides the answers.

    Attributes:
        threshold: Share of the baseline's adherence that must be kept.
        prefer: Whether the smallest or the best quant is wanted.
        tasks: Number of tasks in all batches.
        certain: Probability that KEPT and LOST need at this look.
        beyond_budget: Returns why the next batch of some quants does not fit into the budget, or
            None if it does.
    """

    threshold: float
    prefer: Prefer
    tasks: int
    certain: float
    beyond_budget: Callable[[Collection[str]], str | None] = lambda _: None


def certain_at(batch: int, batches: int) -> float:
    """Return the probability that a verdict needs after a batch.

    Args:
        batch: Number of the batch, from 1.
        batches: How many there are.
    """
    return EARLY if batch < batches else CERTAIN


def look(
    quants: Sequence[QuantScores],
    tasks: Sequence[JudgedTask],
    misses: Collection[str],
    policy: LookPolicy,
) -> tuple[LookedQuant, ...]:
    """Return each quant after a batch, in the same order.

    Args:
        quants: All quants of a model, most bits first, with the scores so far. One that was dropped
            earlier stays dropped.
        tasks: The tasks of the sweep.
        misses: Quants that miss a limit of the config.
        policy: Thresholds and budget.
    """
    baseline = baseline_among(quants)
    seen = [_looked(item, tasks, baseline, policy) for item in quants]
    return _dropping(seen, baseline, misses, policy)


def too_hard(baseline: Collection[float], tasks: int) -> bool:
    """Tell whether the baseline answers so few tasks that all of them could not give a verdict.

    A verdict needs `FEWEST_TASKS` of kinds of which the baseline answers at least half.

    Args:
        baseline: Its scores in 0..1 so far; at least one.
        tasks: Number of tasks in all batches.
    """
    return fmean(baseline) * tasks < MASTERED * FEWEST_TASKS


def _looked(
    item: QuantScores, tasks: Sequence[JudgedTask], baseline: Baseline, policy: LookPolicy
) -> LookedQuant:
    """Return a quant with its verdict at its own look, or at this one if it was not dropped."""
    if item.scores is None and not item.may_pass:
        gone = item.dropped or Dropped(
            reason=DropReason.NOT_MEASURED,
            detail=item.reason or "not measured",
            certain=policy.certain,
        )
        return LookedQuant(
            quant_tag=item.quant,
            verdict=QuantVerdict.NOT_MEASURED,
            probability=None,
            tasks=0,
            dropped=gone,
        )
    verdict, probability, scores = QuantVerdict.UNDECIDED, None, item.scores or {}
    if baseline.used and baseline.used.scores and item is not baseline.used and scores:
        own = baseline.used.scores
        judging = tasks_of(tasks, own, scores)
        if not judging.too_hard:
            counts = paired(own, scores, judging.counted)
            probability = probability_kept(counts, policy.threshold)
            certain = item.certain if item.dropped else policy.certain
            verdict = verdict_at(probability, certain)
    return LookedQuant(
        quant_tag=item.quant,
        verdict=verdict,
        probability=probability,
        tasks=len(scores),
        dropped=item.dropped,
    )


def _dropping(
    seen: Sequence[LookedQuant], baseline: Baseline, misses: Collection[str], policy: LookPolicy
) -> tuple[LookedQuant, ...]:
    """Return the quants with the reason of each that is asked no further."""
    if baseline.used is None:
        return tuple(seen)
    own = baseline.used.scores or {}
    if own and too_hard(own.values(), policy.tasks):
        right, asked = sum(own.values()), len(own)
        detail = f"{baseline.used.quant} answers {right:g} of the first {asked} tasks"
        return _all_dropped(seen, DropReason.TASKS_TOO_HARD, detail, policy)
    decided = [_if_decided(item, policy) for item in seen]
    proved = [it.quant_tag for it in decided if it.verdict is QuantVerdict.KEPT]
    suffices = next((quant for quant in reversed(proved) if quant not in misses), None)
    if suffices and policy.prefer is Prefer.SMALLEST:
        decided = _larger_dropped(decided, suffices, baseline.used.quant, policy)
    others = [item for item in decided if item.quant_tag != baseline.used.quant]
    if others and all(item.dropped for item in others):
        detail = "no other quant is asked further"
        return _all_dropped(decided, DropReason.NOTHING_OPEN, detail, policy)
    beyond = policy.beyond_budget([item.quant_tag for item in decided if not item.dropped])
    if beyond:
        return _all_dropped(decided, DropReason.BUDGET_SPENT, beyond, policy)
    return tuple(decided)


def _if_decided(item: LookedQuant, policy: LookPolicy) -> LookedQuant:
    if item.dropped or item.probability is None or item.verdict is QuantVerdict.UNDECIDED:
        return item
    detail = (
        f"{item.verdict.value} after {item.tasks} tasks "
        f"(P {chance(item.probability)}; this look needs {policy.certain:g})"
    )
    dropped = Dropped(reason=DropReason.DECIDED, detail=detail, certain=policy.certain)
    return item.model_copy(update={"dropped": dropped})


def _larger_dropped(
    seen: Sequence[LookedQuant], suffices: str, baseline: str, policy: LookPolicy
) -> list[LookedQuant]:
    """Return the quants; the larger ones are dropped, because a smaller one is proved."""
    quants = [item.quant_tag for item in seen]
    larger = {*quants[: quants.index(suffices)]} - {baseline}
    detail = f"{suffices} is smaller, and proved"
    return _drop(seen, larger, DropReason.MATTERS_NO_MORE, detail, policy.certain)


def _all_dropped(
    seen: Sequence[LookedQuant], reason: DropReason, detail: str, policy: LookPolicy
) -> tuple[LookedQuant, ...]:
    # A budget ends a sweep whatever the answers are, so this is the last look, as without batches.
    certain = CERTAIN if reason is DropReason.BUDGET_SPENT else policy.certain
    return tuple(_drop(seen, [item.quant_tag for item in seen], reason, detail, certain))


def _drop(
    seen: Sequence[LookedQuant],
    quants: Collection[str],
    reason: DropReason,
    detail: str,
    certain: float,
) -> list[LookedQuant]:
    """Return the quants; some are dropped, if they were not before."""
    dropped = Dropped(reason=reason, detail=detail, certain=certain)
    return [
        item.model_copy(update={"dropped": dropped})
        if item.quant_tag in quants and not item.dropped
        else item
        for item in seen
    ]
