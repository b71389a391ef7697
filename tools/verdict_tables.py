"""How often the verdicts are wrong: simulated, and on recorded data (analysis/verdict).

    python tools/verdict_tables.py
    python tools/verdict_tables.py --rows results/reference/quant_sweep/orket-nano

Every cell of a table is so many simulated sweeps, seeded; `simulation` says what one is. With
`--rows`, of a sweep that asked every quant all tasks, the batches are replayed with 200 seeds.
Exits with 1 where a limit is not kept.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.judged_tasks import MASTERED, JudgedTask
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.looks import EARLY, LookPolicy, certain_at, look
from orket_lib.analysis.verdict.of_rows import judged_tasks
from orket_lib.analysis.verdict.quants import VerdictPolicy, judge_quants
from orket_lib.analysis.verdict.simulation import Counts, Truth, chances, drawn, said
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.artifacts.views.row import Row
from orket_lib.sweep.batches import batch_ends, batches_of
from orket_lib.vocabulary.statuses import Prefer, QuantVerdict

THRESHOLD = 0.95
JUST_LOST, JUST_KEPT = 0.9499, 0.9501
LARGEST_ERROR, MEAN_ERROR = 0.065, 0.05
LARGEST_ERROR_IN_BATCHES = 0.06
LARGEST_LOSS_OF_POWER = 0.03
SEEDS, MOST_RUNS = 200, 0.6
RIGHT, CHURN = (0.5, 0.7, 0.9), (0.0, 0.02, 0.05)
OF_POWER = ((0.85, 0.02), (0.9, 0.02), (0.97, 0.02), (1.0, 0.02), (1.0, 0.005))


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
        errors_in_batches(dice, options.sweeps),
        power(dice, options.sweeps),
    ]
    if options.rows:
        rows = recorded(options.rows)
        within.append(replayed(rows))
    return 0 if all(within) else 1


def errors(dice: numpy.random.Generator, sweeps: int, verdict: str, kept: float) -> bool:
    """Print how often a verdict is given that is just not true."""
    print(f"\nShare of sweeps that say {verdict} of a quant that truly keeps {kept:.2%}")
    sizes = (30, 60, 168, 400)
    return _errors(dice, sweeps, verdict, kept, sizes, lambda tasks: (tasks,), LARGEST_ERROR)


def errors_in_batches(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often a false KEPT is given at any look between batches."""
    print(
        f"\nIn batches: share of sweeps that say KEPT at any look (P {EARLY:g} early, {CERTAIN:g}"
    )
    print(f"at the last one) of a quant that truly keeps {JUST_LOST:.2%}")
    limit = LARGEST_ERROR_IN_BATCHES
    return _errors(dice, sweeps, "KEPT", JUST_LOST, (168, 400, 800), batch_ends, limit)


def _errors(
    dice: numpy.random.Generator,
    sweeps: int,
    verdict: str,
    kept: float,
    sizes: Sequence[int],
    ends: Callable[[int], Sequence[int]],
    largest: float,
) -> bool:
    print("baseline  churn " + " ".join(f"{tasks:6d}" for tasks in sizes) + " tasks")
    found = []
    for right, churn in itertools.product(RIGHT, CHURN):
        shares = [
            _said(dice, sweeps, ends(tasks), Truth(right, kept, churn), verdict) for tasks in sizes
        ]
        found += shares
        print(f"{right:8.0%} {churn:6.0%} " + " ".join(f"{share:6.3f}" for share in shares))
    return _within(found, largest)


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
                [
                    drawn(dice, sweeps // 4, half, Truth(float(mean), JUST_KEPT, churn))
                    for mean in means
                ],
                axis=1,
            )
            for half in (size // 2, size - size // 2)
        ]
        crossed = _lost(_counted(halves, crossed=True))
        found.append(crossed)
        twice = _lost(_counted(halves, crossed=False))
        print(f"{strata:6d} {size:11d} {churn:6.0%} {crossed:15.3f} {twice:23.3f}")
    return _within(found, LARGEST_ERROR)


def coverage(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often the 95 % interval of the kept share holds the true one."""
    print("\nCoverage of the 95% interval of the kept share; baseline 70%, churn 2%")
    print("truly keeps     30     60    168    400 tasks")
    found = []
    for kept in (0.9, 0.95, 0.97, 1.0):
        shares = []
        for tasks in (30, 60, 168, 400):
            counts = drawn(dice, sweeps, tasks, Truth(0.7, kept, 0.02))
            below = chances(counts, kept)  # P(R >= kept): the true share lies within where ...
            shares.append(float(((below > 0.025) & (below < 0.975)).mean()))
        found += shares
        print(f"{kept:11.0%} " + " ".join(f"{share:6.3f}" for share in shares))
    print(f"smallest {min(found):.3f}, mean {numpy.mean(found):.3f}")
    return min(found) >= 0.91


def power(dice: numpy.random.Generator, sweeps: int) -> bool:
    """Print how often a verdict is given that is true, at once and in batches."""
    print("\nPower, baseline 70%: share of sweeps that say what is true, asked all tasks at once;")
    print("in batches; and the share of the tasks that the batches asked")
    sizes = (30, 60, 168, 400, 800)
    print("truly keeps  churn  says " + " ".join(f"{tasks:>16d}" for tasks in sizes) + " tasks")
    worse = []
    for kept, churn in OF_POWER:
        verdict, cells = "LOST" if kept < THRESHOLD else "KEPT", []
        for tasks in sizes:
            truth = Truth(0.7, kept, churn)
            once = said(dice, sweeps // 5, (tasks,), truth, THRESHOLD)
            batches = said(dice, sweeps // 5, batch_ends(tasks), truth, THRESHOLD)
            one, other = (it.lost if kept < THRESHOLD else it.kept for it in (once, batches))
            worse.append(one - other)
            cells.append(f"{one:4.2f} {other:4.2f} {batches.asked:4.0%}")
        print(f"{kept:11.0%} {churn:6.1%}  {verdict} " + " ".join(f"{it:>16}" for it in cells))
    print(f"largest loss of power {max(worse):.3f} (limit {LARGEST_LOSS_OF_POWER})")
    return max(worse) <= LARGEST_LOSS_OF_POWER


@dataclass(frozen=True)
class Task:
    """A task of a recorded sweep, as the split into batches needs it."""

    test_id: str
    family: str
    tier: int


def recorded(folder: Path) -> list[Row]:
    """Print the verdicts on a recorded sweep next to those of a comparison of means."""
    rows = [read_model(path, Row) for path in sorted(folder.glob("*.json"))]
    rows.sort(key=lambda row: -(row.metrics.quant_rank or 0))
    quants = [QuantScores(row.metrics.quant_tag, _scores(row)) for row in rows if _judged(row)]
    found = judge_quants(quants, _tasks(rows), {}, {}, VerdictPolicy(THRESHOLD))
    baseline = rows[0].metrics.adherence_score or 0
    print(f"\n{folder.as_posix()}: the judge, and `adherence >= {THRESHOLD} x {baseline:.3f}`")
    for row, item in zip(rows, found.verdicts, strict=False):
        means = (row.metrics.adherence_score or 0) >= THRESHOLD * baseline
        chance = "" if item.probability is None else f"P = {item.probability:.4f}"
        print(f"{item.quant_tag:8} {item.verdict.value:12} {chance:12} means: {means}")
    print(f"{found.pick.status.value} {found.pick.quant} {found.stability}")
    return [row for row in rows if _judged(row)]


def replayed(rows: Sequence[Row]) -> bool:
    """Print what batches of a recorded sweep would have asked and picked, over many seeds."""
    scores = {row.metrics.quant_tag: _scores(row) for row in rows}
    judged = _tasks(rows)
    tasks = [Task(item.test_id, item.family, item.level) for item in rows[0].task_scores]
    whole = judge_quants(
        [QuantScores(quant, own) for quant, own in scores.items()],
        judged,
        {},
        {},
        VerdictPolicy(THRESHOLD),
    ).pick.quant
    shares, picks = [], []
    for seed in range(SEEDS):
        asked, pick = _replay(scores, judged, batches_of(tasks, seed=str(seed)))
        shares.append(asked / sum(map(len, scores.values())))
        picks.append(pick)
    same, median = picks.count(whole), statistics.median(shares)
    print(
        f"\nIn batches, {SEEDS} seeds: {same} pick {whole} as all tasks do; graded runs:"
        f" median {median:.3f} (limit {MOST_RUNS}), {min(shares):.3f} to {max(shares):.3f}"
    )
    return median <= MOST_RUNS and same > SEEDS / 2


def _replay(
    scores: Mapping[str, Mapping[str, float]],
    tasks: Sequence[JudgedTask],
    batches: Sequence[Sequence[Task]],
) -> tuple[int, str | None]:
    """Return how many tasks all quants were asked in one replay, and what is picked."""
    asked: dict[str, dict[str, float]] = {quant: {} for quant in scores}
    dropped: dict[str, Dropped] = {}
    seen: list[QuantScores] = []
    for number, batch in enumerate(batches, start=1):
        for quant in scores.keys() - dropped.keys():
            asked[quant] |= {task.test_id: scores[quant][task.test_id] for task in batch}
        seen = [QuantScores(quant, asked[quant], dropped=dropped.get(quant)) for quant in scores]
        certain = certain_at(number, len(batches))
        policy = LookPolicy(THRESHOLD, Prefer.SMALLEST, len(tasks), certain)
        for item in look(seen, tasks, (), policy):
            if item.dropped and number < len(batches):
                dropped[item.quant] = item.dropped
        if len(dropped) == len(scores):
            break
    seen = [QuantScores(quant, asked[quant], dropped=dropped.get(quant)) for quant in scores]
    found = look(seen, tasks, (), LookPolicy(THRESHOLD, Prefer.SMALLEST, len(tasks), CERTAIN))
    kept = [item.quant for item in found if item.verdict is QuantVerdict.KEPT]
    return sum(map(len, asked.values())), kept[-1] if kept else None


def _judged(row: Row) -> bool:
    return row.metrics.quality_valid


def _scores(row: Row) -> dict[str, float]:
    return {item.test_id: item.adherence_score for item in row.task_scores}


def _tasks(rows: Sequence[Row]) -> list[JudgedTask]:
    return judged_tasks(row.task_scores for row in rows)


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


def _lost(counts: Counts) -> float:
    return float((chances(counts, THRESHOLD) <= 1 - CERTAIN).mean())


def _said(
    dice: numpy.random.Generator, sweeps: int, ends: Sequence[int], truth: Truth, verdict: str
) -> float:
    found = said(dice, sweeps, ends, truth, THRESHOLD)
    return found.kept if verdict == "KEPT" else found.lost


def _within(found: Sequence[float], limit: float) -> bool:
    """Print the largest and the mean error, and return whether both are within their limits."""
    largest, mean = max(found), float(numpy.mean(found))
    print(f"largest {largest:.3f} (limit {limit}), mean {mean:.3f} (limit {MEAN_ERROR})")
    return largest <= limit and mean <= MEAN_ERROR


if __name__ == "__main__":
    sys.exit(main())
