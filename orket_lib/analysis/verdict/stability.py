"""Whether a new sweep would pick the same quant, by simulation from the posterior predictive.

Each draw is a sweep of new tasks, as many of each family. The baseline's answers are drawn first
and shared by all quants, as in a real sweep; each quant's answers depend on them. Resampling the
same tasks instead would agree with itself far too often.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.decision import EVEN, LIKELY, Candidate, pick
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN, verdict_at
from orket_lib.analysis.verdict.kept_share import COARSE, PRIOR, probabilities_kept
from orket_lib.analysis.verdict.pairs import Overlap, paired
from orket_lib.vocabulary.statuses import Prefer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Chances = NDArray[numpy.float64]

SWEEPS = 2000
_SEED = 0


@dataclass(frozen=True)
class Stability:
    """The picks of simulated sweeps.

    Attributes:
        same: Share of sweeps that pick the same quant.
        runner_up: The most frequent other pick; None without one.
    """

    same: float
    runner_up: str | None


@dataclass(frozen=True)
class Repicked:
    """What a new sweep's pick depends on, besides its answers.

    Attributes:
        candidates: All measured quants; the baseline is the first.
        prefer: The preference of the config.
        threshold: Share of the baseline's adherence that must be kept.
        chosen: The pick of this sweep.
    """

    candidates: Sequence[Candidate]
    prefer: Prefer
    threshold: float
    chosen: str

    def picks(self, quants: Sequence[str], chances: Chances) -> list[str | None]:
        """Return the pick of each sweep; of those that must pick the same, only one is computed.

        Args:
            quants: Those with new probabilities; the others stay as they are.
            chances: Of each sweep and quant, shape (sweeps, quants).
        """
        import numpy

        fits = {item.quant: item.fits for item in self.candidates}
        kinds = kind_of_pick(chances[:, [fits[quant] for quant in quants]])
        _, first, kind = numpy.unique(kinds, return_index=True, return_inverse=True)
        found = [self.pick(dict(zip(quants, it, strict=True))) for it in chances[first].tolist()]
        return [found[place] for place in kind.tolist()]

    def pick(self, probabilities: Mapping[str, float]) -> str | None:
        """Return the pick at other probabilities; a quant without one stays as it is."""
        again = [
            replace(item, verdict=verdict_at(chance), probability=chance)
            if (chance := probabilities.get(item.quant)) is not None
            else item
            for item in self.candidates
        ]
        return pick(again, self.prefer).quant


def stability_of(
    own: Mapping[str, float],
    others: Sequence[QuantScores],
    counted: Sequence[str],
    family_of: Mapping[str, str],
    again: Repicked,
) -> Stability:
    """Return how stable a pick is.

    Args:
        own: The baseline's scores.
        others: The other quants with a verdict; at least one.
        counted: The tasks that count, of those that the baseline was asked.
        family_of: The family of each task.
        again: How a new sweep picks.
    """
    families: dict[str, list[str]] = defaultdict(list)
    for task in counted:
        families[family_of[task]].append(task)
    counts = {
        family: {item.quant: paired(own, item.scores or {}, ids) for item in others}
        for family, ids in families.items()
    }
    right = {family: (sum(own[task] for task in ids), len(ids)) for family, ids in families.items()}
    return stability(right, counts, again.threshold, again.chosen, again.picks)


def stability(
    baseline: Mapping[str, tuple[float, int]],
    families: Mapping[str, Mapping[str, Overlap]],
    threshold: float,
    chosen: str | None,
    picks: Callable[[Sequence[str], Chances], list[str | None]],
) -> Stability:
    """Return how stable a pick is.

    Args:
        baseline: The baseline's right answers and tasks by family; a new sweep has as many tasks.
        families: Paired counts by family and quant; every quant in each family. A quant that was
            dropped has fewer tasks there than the baseline.
        threshold: Share of the baseline's adherence that must be kept.
        chosen: The pick of this sweep.
        picks: Returns a sweep's pick from each quant's probability of keeping the threshold.
    """
    import numpy

    dice = numpy.random.default_rng(_SEED)
    quants = list(next(iter(families.values())))
    sums = {quant: numpy.zeros((SWEEPS, 3)) for quant in quants}
    tasks = sum(size for _, size in baseline.values())
    for family, counts in families.items():
        # The half-counts of the prior are spread over the families.
        prior = PRIOR * baseline[family][1] / tasks
        for quant, drawn in _family(*baseline[family], counts, prior, dice).items():
            sums[quant] += drawn
    drawn = numpy.stack([sums[quant] for quant in quants], axis=1)
    found = Counter(picks(quants, chances_of(drawn, threshold)))
    others = [quant for quant, _ in found.most_common() if quant not in (chosen, None)]
    return Stability(found[chosen] / SWEEPS, others[0] if others else None)


def kind_of_pick(chances: Chances) -> NDArray[numpy.int64]:
    """Return a number for each sweep; with equal numbers `pick` comes to the same quant.

    It depends on the last quant that is kept, the last likely one, the last of the likeliest, and
    whether all are lost. Quants whose probability doesn't change are even or the baseline.

    Args:
        chances: Of the quants that miss no limit, shape (sweeps, quants).
    """
    import numpy

    def last(where: NDArray[numpy.bool_]) -> NDArray[numpy.int64]:
        places = numpy.arange(1, where.shape[1] + 1)
        found: NDArray[numpy.int64] = (where * places).max(axis=1, initial=0)
        return found

    likeliest = chances == chances.max(axis=1, keepdims=True, initial=0.0)
    code = numpy.asarray((chances <= 1 - CERTAIN).all(axis=1), dtype=numpy.int64)
    for where in (chances >= CERTAIN, chances >= LIKELY, likeliest & (chances > EVEN)):
        code = code * (chances.shape[1] + 1) + last(where)
    return code


def chances_of(counts: NDArray[numpy.float64], threshold: float) -> Chances:
    """Return the probability of each sweep and quant; the same counts are computed once.

    Args:
        counts: Both, lost and won in the last axis; whole numbers.
        threshold: Share of the baseline's adherence that must be kept.
    """
    import numpy

    known = _known(threshold)
    base = int(counts.max()) + 1
    codes = (counts @ [base * base, base, 1]).astype(numpy.int64)
    _, first, places = numpy.unique(codes, return_index=True, return_inverse=True)
    different = [tuple(row) for row in counts.reshape(-1, 3)[first].tolist()]
    new = [key for key in different if key not in known]
    if new:
        both, lost, won = numpy.array(new).T
        chances = probabilities_kept(both, lost, won, threshold, COARSE)
        known.update(zip(new, chances.tolist(), strict=True))
    found = numpy.array([known[key] for key in different])
    return found[places].reshape(counts.shape[:-1])


@cache
def _known(threshold: float) -> dict[tuple[float, ...], float]:
    return {}


def _family(
    done: float,
    size: int,
    counts: Mapping[str, Overlap],
    prior: float,
    dice: numpy.random.Generator,
) -> dict[str, NDArray[numpy.float64]]:
    """Return both, lost and won of each quant in every new sweep, shape (sweeps, 3)."""
    import numpy

    right = _share(done, size - done, 2 * prior, dice)
    answered = dice.binomial(size, right)
    drawn = {}
    for quant, seen in counts.items():
        both = dice.binomial(answered, _share(seen.both, seen.lost, prior, dice))
        won = dice.binomial(size - answered, _share(seen.won, seen.neither, prior, dice))
        drawn[quant] = numpy.stack([both, answered - both, won], axis=-1).astype(float)
    return drawn


def _share(
    yes: float, no: float, prior: float, dice: numpy.random.Generator
) -> NDArray[numpy.float64]:
    return dice.beta(yes + prior, no + prior, size=SWEEPS)
