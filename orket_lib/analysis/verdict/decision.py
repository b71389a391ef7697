"""From the verdicts on a model's quants to the one that is recommended.

A decision is made of verdicts and wants alone, so that the same function says what a new sweep of
the same kind would have picked (`stability`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.vocabulary.verdicts import DecisionStatus, Prefer, QuantVerdict, WantStatus

LIKELY = 0.8
_MORE_LIKELY_THAN_NOT = 0.5


@dataclass(frozen=True)
class Candidate:
    """One measured quant, as far as a decision needs it.

    Attributes:
        quant: Its tag.
        verdict: What the tasks say of it; the baseline keeps all of itself.
        probability: That it keeps the threshold; 1 for the baseline.
        wants: Whether it meets each want.
    """

    quant: str
    verdict: QuantVerdict
    probability: float
    wants: tuple[WantStatus, ...] = ()

    @property
    def fits(self) -> bool:
        """Tell whether nothing that is wanted is known to be missed."""
        return WantStatus.NOT_MET not in self.wants

    @property
    def meets_all(self) -> bool:
        """Tell whether everything wanted is established."""
        return all(want is WantStatus.MET for want in self.wants)


@dataclass(frozen=True)
class Pick:
    """The outcome of a decision.

    Attributes:
        status: How well founded it is.
        quant: What to run, or None.
        probability: That it keeps the threshold; None where nothing is claimed.
    """

    status: DecisionStatus
    quant: str | None = None
    probability: float | None = None


def pick(candidates: Sequence[Candidate], prefer: Prefer) -> Pick:
    """Return what to run.

    Args:
        candidates: The measured quants, most bits first; the first one is the baseline. At least
            two.
        prefer: The smallest that suffices, or the best that fits.
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
    if baseline.fits and all(item.verdict is QuantVerdict.LOST for item in smaller):
        return _proved(baseline, 1 - max(item.probability for item in smaller))
    likely = _likely([item for item in smaller if item.fits])
    if likely:
        return Pick(DecisionStatus.LIKELY, likely.quant, likely.probability)
    return Pick(DecisionStatus.UNDECIDED)


def smallest_proved(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one with the fewest bits that keeps the threshold and misses no want."""
    kept = [item for item in candidates if item.fits and item.verdict is QuantVerdict.KEPT]
    return kept[-1] if kept else None


def _best(largest: Candidate, baseline: Candidate) -> Pick:
    """Return the largest that fits; that it is the best one is no question of tasks."""
    if largest is baseline or largest.verdict is QuantVerdict.KEPT:
        return _proved(largest, largest.probability)
    if largest.probability > _MORE_LIKELY_THAN_NOT:
        return Pick(DecisionStatus.LIKELY, largest.quant, largest.probability)
    return Pick(DecisionStatus.UNDECIDED, largest.quant, largest.probability)


def _likely(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the smallest of the likely ones, else the likeliest of those that are worth a bet."""
    likely = [item for item in candidates if item.probability >= LIKELY]
    if likely:
        return likely[-1]
    bets = [item for item in candidates if item.probability > _MORE_LIKELY_THAN_NOT]
    # The last of the largest: of equals, the one with the fewest bits.
    return max(reversed(bets), key=lambda item: item.probability, default=None)


def _proved(chosen: Candidate, probability: float) -> Pick:
    status = DecisionStatus.PROVED if chosen.meets_all else DecisionStatus.PROVED_QUALITY
    return Pick(status, chosen.quant, probability)
