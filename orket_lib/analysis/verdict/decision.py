"""From the verdicts on a model's quants to the recommended one.

A decision depends only on verdicts and limits, so `stability` can use the same function to find out
what a new sweep would pick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.vocabulary.statuses import DecisionStatus, Prefer, QuantVerdict, WantStatus

LIKELY = 0.8
EVEN = 0.5


@dataclass(frozen=True)
class Candidate:
    """One measured quant, reduced to what a decision needs.

    Attributes:
        quant: Its tag.
        verdict: Its verdict; KEPT for the baseline.
        probability: Probability that it keeps the threshold; 1 for the baseline.
        wants: Whether it meets each limit.
    """

    quant: str
    verdict: QuantVerdict
    probability: float
    wants: tuple[WantStatus, ...] = ()

    @property
    def fits(self) -> bool:
        """Tell whether no limit is known to be missed."""
        return WantStatus.NOT_MET not in self.wants

    @property
    def meets_all(self) -> bool:
        """Tell whether all limits are known to be met."""
        return all(want is WantStatus.MET for want in self.wants)


@dataclass(frozen=True)
class Pick:
    """The outcome of a decision.

    Attributes:
        status: How certain it is.
        quant: The quant to run, or None.
        probability: Probability that it keeps the threshold; None if nothing is claimed.
    """

    status: DecisionStatus
    quant: str | None = None
    probability: float | None = None


def pick(candidates: Sequence[Candidate], prefer: Prefer) -> Pick:
    """Return the quant to run.

    Args:
        candidates: The measured quants, most bits first; the first one is the baseline. At least
            two.
        prefer: Whether to pick the smallest that suffices or the best that fits.
    """
    fitting = [item for item in candidates if item.fits]
    if not fitting:
        return Pick(DecisionStatus.NOTHING_FITS)
    if prefer is Prefer.BEST:
        return _best(fitting[0], candidates[0])
    baseline, *smaller = candidates
    proved = smallest_proved(smaller)
    if proved:
        return _proved(proved, proved.probability)
    smaller = [item for item in smaller if item.fits]
    if baseline.fits and all(item.verdict is QuantVerdict.LOST for item in smaller):
        # If no smaller one fits, limits decided, and not the tasks.
        return _proved(baseline, 1 - max(it.probability for it in smaller) if smaller else None)
    likely = _likely(smaller)
    if likely:
        return Pick(DecisionStatus.LIKELY, likely.quant, likely.probability)
    return Pick(DecisionStatus.UNDECIDED)


def smallest_proved(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one with the fewest bits that keeps the threshold and misses no limit."""
    kept = [item for item in candidates if item.fits and item.verdict is QuantVerdict.KEPT]
    return kept[-1] if kept else None


def _best(largest: Candidate, baseline: Candidate) -> Pick:
    """Return the largest that fits; tasks only decide how certain it is."""
    if largest is baseline or largest.verdict is QuantVerdict.KEPT:
        return _proved(largest, largest.probability)
    if largest.probability > EVEN:
        return Pick(DecisionStatus.LIKELY, largest.quant, largest.probability)
    return Pick(DecisionStatus.UNDECIDED, largest.quant, largest.probability)


def _likely(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the smallest likely one, else the likeliest with more than even odds."""
    likely = [item for item in candidates if item.probability >= LIKELY]
    if likely:
        return likely[-1]
    bets = [item for item in candidates if item.probability > EVEN]
    # Reversed, so that ties go to the one with the fewest bits.
    return max(reversed(bets), key=lambda item: item.probability, default=None)


def _proved(chosen: Candidate, probability: float | None) -> Pick:
    status = DecisionStatus.PROVED if chosen.meets_all else DecisionStatus.PROVED_QUALITY
    return Pick(status, chosen.quant, probability)
