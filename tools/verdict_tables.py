"""How often the verdicts are wrong: simulated, and on recorded answers (analysis/verdict).

    python tools/verdict_tables.py
    python tools/verdict_tables.py --rows results/reference/quant_sweep/orket-nano

A table of sweeps that ask all tasks at once is exact: it sums over all counts that can come. One of
batches, or of a choice of tasks, is of so many simulated sweeps, seeded; `simulation` says what one
is. The batches are also replayed on recorded answers, those of the reference sweep if there are no
others. Exits with 1 where a limit is not kept.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
from recorded_sweeps import RECORDED, of_rows, recorded, replayed
from scipy.stats import binom

from orket_lib.analysis.verdict.judged_tasks import MASTERED
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.looks import EARLY
from orket_lib.analysis.verdict.simulation import Truth, fewest_both, is_lost, said
from orket_lib.sweep.batches import batch_ends

if TYPE_CHECKING:
    from orket_lib.analysis.verdict.simulation import Counts

THRESHOLD = 0.95
JUST_LOST, JUST_KEPT = 0.9499, 0.9501
LARGEST_ERROR, MEAN_ERROR = 0.065, 0.05
LARGEST_ERROR_IN_BATCHES = 0.06
LARGEST_LOSS_OF_POWER = 0.03
LEAST_COVERAGE, MEAN_COVERAGE, FEWEST_FLIPS = 0.91, (0.94, 0.97), 3
RIGHT, CHURN = (0.5, 0.7, 0.9), (0.0, 0.02, 0.05)
SIZES = (30, 60, 168, 400)
OF_POWER = ((0.85, 0.02), (0.9, 0.02), (0.97, 0.02), (1.0, 0.02), (1.0, 0.005))
_RARE = 1e-9  # counts rarer than this are left out of exact sums


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=20_000, help="simulated ones in each cell")
    parser.add_argument("--rows", type=Path, help="folder of a finished sweep's rows of one model")
    options = parser.parse_args()
    dice, sweeps = numpy.random.default_rng(0), options.sweeps
    sweep = of_rows(options.rows) if options.rows else recorded(RECORDED)
    within = [
        errors("KEPT", JUST_LOST),
        errors("LOST", JUST_KEPT),
        filtered_errors(dice, sweeps),
        coverage(),
        errors_in_batches(dice, sweeps),
        power(dice, sweeps),
        replayed(sweep, THRESHOLD),
    ]
    return 0 if all(within) else 1


def reached(tasks: int, truth: Truth, threshold: float, probability: float) -> float:
    """Return the exact share of sweeps in which the kept share has at least the probability."""
    both, lost, won, _ = truth.shares
    ends = [
        numpy.clip(binom.ppf((_RARE, 1 - _RARE), tasks, share), 0, None) for share in (lost, won)
    ]
    losts, wons = (numpy.arange(int(start), int(end) + 1) for start, end in ends)
    pairs = numpy.array(list(itertools.product(losts, wons)))
    pairs = pairs[pairs.sum(axis=1) <= tasks]
    chances = binom.pmf(pairs[:, 0], tasks, lost)
    chances *= binom.pmf(pairs[:, 1], tasks - pairs[:, 0], won / (1 - lost))
    needed = fewest_both(pairs, threshold, probability)
    right = binom.sf(needed - 1, tasks - pairs.sum(axis=1), both / (1 - lost - won))
    return float((chances * right).sum())


def at_once(tasks: int, truth: Truth, verdict: str) -> float:
    """Return the exact share of sweeps with a verdict, asked all tasks at once."""
    if verdict == "KEPT":
        return reached(tasks, truth, THRESHOLD, CERTAIN)
    return 1 - reached(tasks, truth, THRESHOLD, 1 - CERTAIN)


def errors(verdict: str, kept: float) -> bool:
    """Print how often a verdict is given that is just not true."""
    print(f"\nShare of sweeps that say {verdict} of a quant that truly keeps {kept:.2%} (exact)")
    return _errors(kept, SIZES, lambda n, truth: at_once(n, truth, verdict), LARGEST_ERROR)


def errors_in_batches(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often a false KEPT is given at any look between batches."""
    print(f"\nIn batches: share of {sweeps} sweeps that say KEPT at any look (P {EARLY:g} early,")
    print(f"{CERTAIN:g} at the last one) of a quant that truly keeps {JUST_LOST:.2%}")
    return _errors(
        JUST_LOST,
        (168, 400, 800),
        lambda n, truth: said(dice, sweeps, batch_ends(n), truth, THRESHOLD).kept,
        LARGEST_ERROR_IN_BATCHES,
    )


def _errors(
    kept: float, sizes: Sequence[int], share: Callable[[int, Truth], float], largest: float
) -> bool:
    print("baseline  churn " + " ".join(f"{tasks:6d}" for tasks in sizes) + " tasks")
    found = []
    for right, churn in itertools.product(RIGHT, CHURN):
        shares = [share(tasks, Truth(right, kept, churn)) for tasks in sizes]
        found += shares
        print(f"{right:8.0%} {churn:6.0%} " + " ".join(f"{it:6.4f}" for it in shares), flush=True)
    return _within(found, largest)


def filtered_errors(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print the same for tasks of which only those count that the baseline masters."""
    print(f"\nShare of {sweeps} sweeps that say LOST of a quant that truly keeps {JUST_KEPT:.2%},")
    print("with strata whose true means are .3 to .7, of which only those count that the baseline")
    print(
        "masters: in the other half; for comparison, in all of the stratum (a tenth of the sweeps)"
    )
    print("strata  tasks each  churn  crossed halves  the same answers twice")
    found = []
    for strata, size, churn in itertools.product((6, 16, 48), (10, 30), (0.0, 0.02, 0.1, 0.2)):
        shares = []
        for crossed, many in ((True, sweeps), (False, sweeps // 10)):
            truths = [Truth(mean, JUST_KEPT, churn) for mean in numpy.linspace(0.3, 0.7, strata)]
            total = numpy.zeros((many, 4), dtype=numpy.int64)
            for truth in truths:
                total += _counted(dice, many, size, truth, crossed)
            shares.append(float(is_lost(total, THRESHOLD, CERTAIN).mean()))
        found.append(shares[0])
        print(
            f"{strata:6d} {size:11d} {churn:6.0%} {shares[0]:15.4f} {shares[1]:23.3f}", flush=True
        )
    return _within(found, LARGEST_ERROR)


def _counted(
    dice: numpy.random.Generator, sweeps: int, size: int, truth: Truth, crossed: bool
) -> Counts:
    """Return the counts of the halves of a stratum that count, shape (sweeps, 4)."""
    one, other = (
        dice.multinomial(half, truth.shares, size=sweeps) for half in (size // 2, size - size // 2)
    )
    chosen_by = (other, one) if crossed else (one + other, one + other)
    total: Counts = sum(
        half * ((by[:, 0] + by[:, 1]) >= MASTERED * by.sum(axis=1))[:, None]
        for half, by in zip((one, other), chosen_by, strict=True)
    )
    return total


def coverage() -> bool:
    """Print how often the 95 % interval of the kept share holds the true one."""
    print("\nCoverage of the 95% interval of the kept share (exact)")
    print("truly keeps  baseline  churn " + " ".join(f"{it:6d}" for it in SIZES) + " tasks")
    found, common = [], []
    for kept, right, churn in itertools.product((0.9, 0.95, 0.97, 1.0), RIGHT, CHURN):
        truth, shares = Truth(right, kept, churn), []
        for tasks in SIZES:
            low, high = (reached(tasks, truth, kept, it) for it in (1 - CERTAIN, CERTAIN))
            shares.append(low - high)
            if tasks * (truth.shares[1] + truth.shares[2]) >= FEWEST_FLIPS:
                common.append(low - high)
        found += shares
        cells = " ".join(f"{it:6.3f}" for it in shares)
        print(f"{kept:11.0%} {right:9.0%} {churn:6.0%} {cells}", flush=True)
    mean, (least, most) = float(numpy.mean(common)), MEAN_COVERAGE
    print(f"smallest {min(found):.3f} (limit {LEAST_COVERAGE}); mean where {FEWEST_FLIPS} or more")
    print(f"flips are expected {mean:.3f} (limits {least}, {most})")
    return min(found) >= LEAST_COVERAGE and least <= mean <= most


def power(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often a verdict is given that is true, at once and in batches."""
    print("\nPower, baseline 70%: share of sweeps that say what is true, asked all tasks at once")
    print(f"(exact); in batches ({sweeps} sweeps); and the share of the tasks that those asked")
    sizes = (*SIZES, 800)
    print("truly keeps  churn  says " + " ".join(f"{tasks:>16d}" for tasks in sizes) + " tasks")
    worse = []
    for kept, churn in OF_POWER:
        verdict, cells = "LOST" if kept < THRESHOLD else "KEPT", []
        for tasks in sizes:
            truth = Truth(0.7, kept, churn)
            batches = said(dice, sweeps, batch_ends(tasks), truth, THRESHOLD)
            once = at_once(tasks, truth, verdict)
            there = batches.lost if verdict == "LOST" else batches.kept
            worse.append(once - there)
            cells.append(f"{once:4.2f} {there:4.2f} {batches.asked:4.0%}")
        line = " ".join(f"{it:>16}" for it in cells)
        print(f"{kept:11.0%} {churn:6.1%}  {verdict} {line}", flush=True)
    print(f"largest loss of power {max(worse):.3f} (limit {LARGEST_LOSS_OF_POWER})")
    return max(worse) <= LARGEST_LOSS_OF_POWER


def _within(found: Sequence[float], limit: float) -> bool:
    """Print the largest and the mean error, and return whether both are within their limits."""
    largest, mean = max(found), float(numpy.mean(found))
    print(f"largest {largest:.4f} (limit {limit}), mean {mean:.4f} (limit {MEAN_ERROR})")
    return largest <= limit and mean <= MEAN_ERROR


if __name__ == "__main__":
    sys.exit(main())
