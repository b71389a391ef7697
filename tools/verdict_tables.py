"""How often the verdicts are wrong: simulated, and on recorded data (analysis/verdict).

    python tools/verdict_tables.py
    python tools/verdict_tables.py --rows results/reference/quant_sweep/orket-nano

Every cell of a table is so many simulated sweeps, seeded. In a simulated sweep the baseline answers
each task right with a chance p, and *churn* is the chance that a task flips in favour of the quant;
against it flip as many, and those that are truly lost. Exits with 1 where an error is above its
limit.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS, MASTERED, JudgedTask
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.kept_share import COARSE, probabilities_kept
from orket_lib.analysis.verdict.quants import VerdictPolicy, judge_quants
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.row import Row

THRESHOLD = 0.95
JUST_LOST, JUST_KEPT = 0.9499, 0.9501
LARGEST_ERROR, MEAN_ERROR = 0.065, 0.05
Counts = NDArray[numpy.float64]  # of both, lost, won, neither in the last axis


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=20_000, help="simulated ones in each cell")
    parser.add_argument("--rows", type=Path, help="folder of a finished sweep's rows of one model")
    options = parser.parse_args()
    dice = numpy.random.default_rng(0)
    within = [
        errors(dice, options.sweeps, "KEPT", JUST_LOST),
        errors(dice, options.sweeps, "LOST", JUST_KEPT),
        filtered_errors(dice, options.sweeps),
        coverage(dice, options.sweeps // 10),
    ]
    power(dice, options.sweeps // 10)
    if options.rows:
        recorded(options.rows)
    return 0 if all(within) else 1


def errors(dice: numpy.random.Generator, sweeps: int, verdict: str, kept: float) -> bool:
    """Print how often a verdict is given that is just not true."""
    print(f"\nShare of sweeps that say {verdict} of a quant that truly keeps {kept:.2%}")
    print("baseline  churn     30     60    168    400 tasks")
    found = []
    for right, churn in itertools.product((0.5, 0.7, 0.9), (0.0, 0.02, 0.05)):
        shares = [
            _said(verdict, _chances(_sweeps(dice, sweeps, tasks, right, kept, churn)))
            for tasks in (30, 60, 168, 400)
        ]
        found += shares
        print(f"{right:8.0%} {churn:6.0%} " + " ".join(f"{share:6.3f}" for share in shares))
    return _within(found)


def filtered_errors(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print the same for tasks of which only those count that the baseline masters."""
    print(
        f"\nShare of sweeps that say LOST of a quant that truly keeps {JUST_KEPT:.2%}, with strata"
    )
    print("whose true means are .3 to .7, of which only those count that the baseline masters")
    print("strata  tasks each  churn  crossed halves  the same answers twice")
    found = []
    for strata, size, churn in itertools.product((6, 16, 48), (10, 30), (0.0, 0.02, 0.1, 0.2)):
        means = numpy.linspace(0.3, 0.7, strata)
        halves = [
            numpy.stack(
                [_sweeps(dice, sweeps // 4, half, float(mean), JUST_KEPT, churn) for mean in means],
                axis=1,
            )
            for half in (size // 2, size - size // 2)
        ]
        crossed = _said("LOST", _chances(_counted(halves, crossed=True)))
        found.append(crossed)
        twice = _said("LOST", _chances(_counted(halves, crossed=False)))
        print(f"{strata:6d} {size:11d} {churn:6.0%} {crossed:15.3f} {twice:23.3f}")
    return _within(found)


def coverage(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often the 95 % interval of the kept share holds the true one."""
    print("\nCoverage of the 95% interval of the kept share; baseline 70%, churn 2%")
    print("truly keeps     30     60    168    400 tasks")
    found = []
    for kept in (0.9, 0.95, 0.97, 1.0):
        shares = []
        for tasks in (30, 60, 168, 400):
            counts = _sweeps(dice, sweeps, tasks, 0.7, kept, 0.02)
            below = _chances(counts, kept)  # P(R >= kept): the true share lies within where ...
            shares.append(float(((below > 0.025) & (below < 0.975)).mean()))
        found += shares
        print(f"{kept:11.0%} " + " ".join(f"{share:6.3f}" for share in shares))
    print(f"smallest {min(found):.3f}, mean {numpy.mean(found):.3f}")
    return min(found) >= 0.91


def power(dice: numpy.random.Generator, sweeps: int) -> None:
    """Print how often a verdict is given that is true."""
    print("\nPower, baseline 70%: share of sweeps that say what is true")
    print("truly keeps  churn  says     30     60    168    400    800 tasks")
    truths = ((0.85, 0.02), (0.9, 0.02), (0.97, 0.02), (1.0, 0.02), (1.0, 0.005))
    for kept, churn in truths:
        verdict = "LOST" if kept < THRESHOLD else "KEPT"
        shares = [
            _said(verdict, _chances(_sweeps(dice, sweeps, tasks, 0.7, kept, churn)))
            for tasks in (30, 60, 168, 400, 800)
        ]
        listed = " ".join(f"{share:6.2f}" for share in shares)
        print(f"{kept:11.0%} {churn:6.1%}  {verdict} {listed}")


def recorded(folder: Path) -> None:
    """Print the verdicts on a recorded sweep next to those of a comparison of means."""
    rows = [read_model(path, Row) for path in sorted(folder.glob("*.json"))]
    rows.sort(key=lambda row: -(row.metrics.quant_rank or 0))
    quants = [
        QuantScores(
            row.metrics.quant_tag,
            {item.test_id: item.adherence_score for item in row.task_scores},
        )
        for row in rows
        if row.metrics.quality_valid
    ]
    tasks = [
        JudgedTask(item.test_id, "", item.family or item.test_id.rpartition("-")[0])
        for item in rows[0].task_scores
    ]
    found = judge_quants(quants, tasks, {}, {}, VerdictPolicy(THRESHOLD))
    baseline = rows[0].metrics.adherence_score or 0
    print(f"\n{folder.as_posix()}: the judge, and `adherence >= {THRESHOLD} x {baseline:.3f}`")
    for row, item in zip(rows, found.verdicts, strict=False):
        means = (row.metrics.adherence_score or 0) >= THRESHOLD * baseline
        chance = "" if item.probability is None else f"P = {item.probability:.4f}"
        print(f"{item.quant_tag:8} {item.verdict.value:12} {chance:12} means: {means}")
    print(f"{found.pick.status.value} {found.pick.quant} {found.stability}")


def _sweeps(
    dice: numpy.random.Generator, sweeps: int, tasks: int, right: float, kept: float, churn: float
) -> Counts:
    """Return the counts of simulated sweeps, shape (sweeps, 4)."""
    lost = churn + right * (1 - kept)
    chances = [right - lost, lost, churn, 1 - right - churn]
    return dice.multinomial(tasks, chances, size=sweeps).astype(float)


def _counted(halves: Sequence[Counts], crossed: bool) -> Counts:
    """Return the summed counts of the halves, shape (sweeps, strata, 4), that count."""

    def mastered(*parts: Counts) -> NDArray[numpy.bool_]:
        whole = sum(parts[1:], parts[0])
        mean: NDArray[numpy.float64] = (whole[..., 0] + whole[..., 1]) / whole.sum(axis=-1)
        return mean >= MASTERED

    one, other = halves
    masks = (mastered(other), mastered(one)) if crossed else (mastered(one, other),) * 2
    total: Counts = sum(
        (half * mask[..., None]).sum(axis=1) for half, mask in zip(halves, masks, strict=True)
    )
    return total


def _chances(counts: Counts, threshold: float = THRESHOLD) -> NDArray[numpy.float64]:
    """Return each sweep's probability of having kept the threshold; 0.5 where too few count."""
    different, places = numpy.unique(counts, axis=0, return_inverse=True)
    pieces = [
        probabilities_kept(part[:, 0], part[:, 1], part[:, 2], threshold, COARSE)
        for part in _pieces(different)
    ]
    chances = numpy.concatenate(pieces)[places.ravel()]
    return numpy.where(counts.sum(axis=-1) < FEWEST_TASKS, 0.5, chances)


def _pieces(counts: Counts) -> Iterator[Counts]:
    yield from numpy.array_split(counts, len(counts) // 4000 + 1)


def _said(verdict: str, chances: NDArray[numpy.float64]) -> float:
    said = chances >= CERTAIN if verdict == "KEPT" else chances <= 1 - CERTAIN
    return float(said.mean())


def _within(found: Sequence[float]) -> bool:
    """Print the largest and the mean error, and return whether both are within their limits."""
    largest, mean = max(found), float(numpy.mean(found))
    print(f"largest {largest:.3f} (limit {LARGEST_ERROR}), mean {mean:.3f} (limit {MEAN_ERROR})")
    return largest <= LARGEST_ERROR and mean <= MEAN_ERROR


if __name__ == "__main__":
    sys.exit(main())
