"""How many further tasks would probably decide: by the posterior's own prediction."""

from __future__ import annotations

from bisect import bisect_left

from orket_lib.analysis.verdict.kept_share import COARSE, PRIOR, probabilities_kept
from orket_lib.analysis.verdict.pairs import Masses

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
