"""The contexts of several quants, compared with those of the largest one.

All quants are asked the same tasks at a context, so they are compared task by task. Contexts have
tasks of their own, so what is lost at two contexts is compared as two independent estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orket_lib.analysis.context.ceiling import context_points, safe_ceiling
from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.analysis.statistics import Estimate, binomial_bounds, difference, paired_drop
from orket_lib.analysis.verdict.pairs import paired
from orket_lib.artifacts.views.context_ceiling import (
    CeilingComparison,
    CeilingVerdict,
    ContextPoint,
    ContextThresholds,
    FamilyAtContext,
    LengthEffect,
    NotTried,
    PairedDrop,
    QuantContexts,
)
from orket_lib.vocabulary.nulls import Null

ALL = "all"
_SMALL = 0.05  # a loss that doesn't count, without a limit for adherence


@dataclass(frozen=True)
class Asked:
    """The contexts of one quant.

    Attributes:
        quant: Its tag.
        figures: Of the contexts that were tried, smallest first.
        not_tried: The others.
    """

    quant: str
    figures: Sequence[ContextFigures]
    not_tried: Sequence[NotTried] = ()

    def at(self, context: int) -> ContextFigures | None:
        """Return the figures of a context that has answers."""
        found = (it for it in self.figures if it.context == context and it.answers)
        return next(found, None)


def baseline_of(quants: Sequence[Asked]) -> Asked | None:
    """Return the first quant that has answers."""
    return next((it for it in quants if any(one.answers for one in it.figures)), None)


def quant_contexts(
    quant: Asked, baseline: Asked | None, thresholds: ContextThresholds, among: int = 1
) -> QuantContexts:
    """Return the contexts of a quant, compared with those of the baseline.

    Args:
        quant: The quant.
        baseline: The largest one with answers; may be the same.
        thresholds: What a context must pass.
        among: How many quants are compared; statements about them hold together with 95 %.
    """
    points = context_points(quant.figures, thresholds)
    other = baseline if baseline and baseline is not quant else None
    return QuantContexts.of(
        quant_tag=quant.quant,
        safe_context_ceiling=safe_ceiling(points),
        points=points,
        not_tried=tuple(quant.not_tried),
        ceiling=compare_ceilings(quant, other, thresholds, among) if other else None,
        families=tuple(_families(quant, other, among)),
        lengths=tuple(_lengths(quant, other, among)) if other else (),
    )


def compare_ceilings(
    quant: Asked, baseline: Asked, thresholds: ContextThresholds, among: int = 1
) -> CeilingComparison:
    """Return whether the ceiling of a quant is lower than that of the baseline.

    Where the ceilings differ, the one with the lower ceiling failed at a context that the other one
    passed. Is it worse there, task by task, or may that be chance? Where they don't, they are the
    same if the answers at the ceiling prove that hardly any is lost, see `CeilingComparison`.
    """
    own, theirs = (context_points(it.figures, thresholds) for it in (quant, baseline))
    mine, its = (_known(safe_ceiling(it)) for it in (own, theirs))
    if mine == its:
        found = _drop(quant, baseline, mine, among) if mine else None
        margin = 1 - thresholds.adherence_min if thresholds.adherence_min > 0 else _SMALL
        same = found is not None and max(-found.low, found.high) <= margin
        ends = f"both pass up to {mine}" if mine else "neither passes the smallest context"
        return CeilingComparison(
            verdict="same" if same else "undecided",
            context=mine if found else None,
            paired=found,
            because=f"{ends}{_said(found, quant, f'at {mine}')}",
        )
    worse, points = (quant, own) if mine < its else (baseline, theirs)
    failed = next((it for it in points if not it.passed), None)
    if failed is None:
        because = f"longer contexts of {worse.quant} were not tried"
        return CeilingComparison(verdict="undecided", context=None, paired=None, because=because)
    found = _drop(quant, baseline, failed.context, among)
    certain = "CONTEXT_NOT_LOADED" in failed.reasons
    if "ADHERENCE_BELOW_MIN" in failed.reasons and found:
        certain = found.low > 0 if worse is quant else found.high < 0
    direction: CeilingVerdict = "lower" if worse is quant else "higher"
    return CeilingComparison(
        verdict=direction if certain else "undecided",
        context=failed.context if found else None,
        paired=found,
        because=_why(worse, failed) + _said(found, quant, "there"),
    )


def conclusions(baseline: str | None, quants: Sequence[QuantContexts]) -> tuple[str, ...]:
    """Return the ceilings of all quants, and whether long contexts lose more than short ones."""
    if baseline is None:
        return ("No quant has answers that may be judged.",)
    ceilings = "; ".join(_ceilings(baseline, quants))
    found = [(it.quant_tag, one) for it in quants for one in it.lengths if one.family == ALL]
    shown = [(tag, one) for tag, one in found if one.verdict == "more"]
    said = [
        f"{tag} loses more against {baseline} at {one.long} than at {one.short}: {one.more:.0%} of "
        f"the answers more ({one.low:.0%} to {one.high:.0%})."
        for tag, one in shown
    ]
    if found and not shown:
        said = [
            f"No quant is shown to lose more against {baseline} at its longest context than at "
            "its shortest."
        ]
    return (f"Context ceilings: {ceilings}.", *said)


def _ceilings(baseline: str, quants: Sequence[QuantContexts]) -> Iterator[str]:
    """Yield the baseline's ceiling, and those of the other quants by what is known of them."""
    yield ", ".join(_named(it) for it in quants if it.ceiling is None)
    for verdict, words in (
        ("lower", f"lower than that of {baseline}"),
        ("higher", f"higher than that of {baseline}"),
        ("same", "the same"),
        ("undecided", "undecided"),
    ):
        found = [it for it in quants if it.ceiling and it.ceiling.verdict == verdict]
        if found:
            yield f"{words}: {', '.join(map(_named, found))}"


def _named(quant: QuantContexts) -> str:
    ceiling, compared = quant.safe_context_ceiling, quant.ceiling
    name = f"{quant.quant_tag} {'none' if ceiling is None else ceiling}"
    if compared and compared.paired and compared.verdict in ("lower", "higher"):
        return f"{name} ({_interval(compared.paired)} at {compared.context})"
    return name


def _why(worse: Asked, failed: ContextPoint) -> str:
    reasons = ", ".join(failed.reasons)
    return f"{worse.quant} failed at {failed.context} ({reasons})"


def _said(drop: PairedDrop | None, quant: Asked, where: str) -> str:
    if drop is None:
        return ""
    return (
        f"; {where} {quant.quant} lost {drop.lost:g} and won {drop.won:g} of {drop.tasks} tasks: "
        f"{_interval(drop)}"
    )


def _interval(drop: PairedDrop) -> str:
    return f"a drop of {drop.drop:.0%}, {drop.low:.0%} to {drop.high:.0%}"


def _known(ceiling: int | Null) -> int:
    return 0 if isinstance(ceiling, Null) else ceiling


def _scores(figures: ContextFigures, family: str) -> dict[str, float]:
    return {it.task: it.score for it in figures.answers if family in (ALL, it.family)}


def _drop(
    quant: Asked, baseline: Asked, context: int, among: int, family: str = ALL
) -> PairedDrop | None:
    """Return what a quant loses at a context; None without answers of both."""
    own, theirs = quant.at(context), baseline.at(context)
    if own is None or theirs is None:
        return None
    scores = _scores(own, family)
    counts = paired(_scores(theirs, family), scores, scores)
    if not counts.tasks:
        return None
    found = paired_drop(counts.lost, counts.won, counts.tasks, among)
    return PairedDrop(
        tasks=round(counts.tasks),
        lost=counts.lost,
        won=counts.won,
        drop=found.value,
        low=found.low,
        high=found.high,
    )


def _families(quant: Asked, baseline: Asked | None, among: int) -> Iterator[FamilyAtContext]:
    for figures in quant.figures:
        for family in sorted({it.family for it in figures.answers}):
            scores = _scores(figures, family)
            right = sum(scores.values())
            low, high = binomial_bounds(right, len(scores))
            yield FamilyAtContext(
                family=family,
                context=figures.context,
                right=right,
                asked=len(scores),
                low=low,
                high=high,
                paired=_drop(quant, baseline, figures.context, among, family) if baseline else None,
            )


def _lengths(quant: Asked, baseline: Asked, among: int) -> Iterator[LengthEffect]:
    families = sorted({it.family for one in quant.figures for it in one.answers})
    for family in [ALL, *(families if len(families) > 1 else [])]:
        drops = {
            it.context: drop
            for it in quant.figures
            if (drop := _drop(quant, baseline, it.context, among, family))
        }
        if len(drops) > 1:
            short, long = min(drops), max(drops)
            more = difference(_estimate(drops[long]), _estimate(drops[short]))
            yield LengthEffect(
                family=family,
                short=short,
                long=long,
                at_short=drops[short],
                at_long=drops[long],
                more=more.value,
                low=more.low,
                high=more.high,
                verdict="more" if more.low > 0 else "less" if more.high < 0 else "undecided",
            )


def _estimate(drop: PairedDrop) -> Estimate:
    return Estimate(drop.drop, drop.low, drop.high)
