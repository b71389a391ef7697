"""Recorded answers: the judge's verdicts on them, and batches of them, replayed."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.judged_tasks import JudgedTask
from orket_lib.analysis.verdict.looks import LookPolicy, certain_at, look
from orket_lib.analysis.verdict.quants import VerdictPolicy, judge_quants
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.look import LookedQuant
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.artifacts.views.row import Row
from orket_lib.sweep.batches import batches_of
from orket_lib.vocabulary.statuses import Prefer, QuantVerdict

RECORDED = Path(__file__).with_name("reference_answers.json")
SEEDS, MOST_RUNS = 200, 0.6


@dataclass(frozen=True)
class Task:
    """A task of a recorded sweep, as the split into batches needs it."""

    test_id: str
    family: str
    tier: int


@dataclass(frozen=True)
class Recorded:
    """A sweep that asked every quant all tasks.

    Attributes:
        name: Of the model.
        tasks: That were asked.
        scores: In 0..1 by quant, most bits first, and by task id.
    """

    name: str
    tasks: Sequence[Task]
    scores: Mapping[str, Mapping[str, float]]

    @property
    def judged(self) -> list[JudgedTask]:
        """Return the tasks as the judge groups them."""
        return [JudgedTask(it.test_id, "", it.family, str(it.tier or "")) for it in self.tasks]


def of_rows(folder: Path) -> Recorded:
    """Return the sweep whose rows of one model lie in a folder."""
    rows = [read_model(path, Row) for path in sorted(folder.glob("*.json"))]
    rows = [row for row in rows if row.metrics.quality_valid]
    rows.sort(key=lambda row: -(row.metrics.quant_rank or 0))
    tasks = [Task(item.test_id, item.family, item.level) for item in rows[0].task_scores]
    scores = {
        row.metrics.quant_tag: {it.test_id: it.adherence_score or 0.0 for it in row.task_scores}
        for row in rows
    }
    return Recorded(rows[0].metrics.model_id, tasks, scores)


def recorded(path: Path) -> Recorded:
    """Return a sweep as it is kept with this tool: for each quant a 1 or 0 per task."""
    found = json.loads(path.read_text("utf-8"))
    tasks = [Task(*task) for task in found["tasks"]]
    scores = {
        quant: {task.test_id: float(digit) for task, digit in zip(tasks, digits, strict=True)}
        for quant, digits in found["right"].items()
    }
    return Recorded(found["model"], tasks, scores)


def replayed(sweep: Recorded, threshold: float) -> bool:
    """Print the verdicts, and what batches would have asked and picked over many seeds."""
    whole = _verdicts(sweep, threshold)
    shares, picks = [], []
    for seed in range(SEEDS):
        asked, pick = _replay(sweep, batches_of(sweep.tasks, seed=str(seed)), threshold)
        shares.append(asked / (len(sweep.tasks) * len(sweep.scores)))
        picks.append(pick)
    same, median = picks.count(whole), statistics.median(shares)
    print(
        f"\nIn batches, {SEEDS} seeds: {same} pick {whole} as all tasks do; graded runs: median"
        f" {median:.3f} (limit {MOST_RUNS}), {min(shares):.3f} to {max(shares):.3f}"
    )
    return median <= MOST_RUNS and same > SEEDS / 2


def _verdicts(sweep: Recorded, threshold: float) -> str | None:
    """Print the verdicts next to those of a comparison of means, and return the pick."""
    quants = [QuantScores(quant, own) for quant, own in sweep.scores.items()]
    found = judge_quants(quants, sweep.judged, {}, VerdictPolicy(threshold))
    means = {quant: statistics.fmean(own.values()) for quant, own in sweep.scores.items()}
    baseline = next(iter(means.values()))
    print(f"\n{sweep.name}: the judge, and `adherence >= {threshold} x {baseline:.3f}`")
    for item in found.verdicts:
        chance = "" if item.probability is None else f"P = {item.probability:.4f}"
        point = means[item.quant_tag] >= threshold * baseline
        print(f"{item.quant_tag:8} {item.verdict.value:12} {chance:12} means: {point}")
    print(f"{found.pick.status.value} {found.pick.quant} {found.stability}")
    return found.pick.quant


def _replay(
    sweep: Recorded, batches: Sequence[Sequence[Task]], threshold: float
) -> tuple[int, str | None]:
    """Return how many tasks all quants were asked in one replay, and what is picked."""
    scores, tasks = sweep.scores, sweep.judged
    asked: dict[str, dict[str, float]] = {quant: {} for quant in scores}
    dropped: dict[str, Dropped] = {}

    def looked(number: int) -> Sequence[LookedQuant]:
        seen = [QuantScores(quant, asked[quant], dropped=dropped.get(quant)) for quant in scores]
        certain = certain_at(number, len(batches))
        return look(seen, tasks, (), LookPolicy(threshold, Prefer.SMALLEST, len(tasks), certain))

    for number, batch in enumerate(batches, start=1):
        for quant in scores.keys() - dropped.keys():
            asked[quant] |= {task.test_id: scores[quant][task.test_id] for task in batch}
        if number < len(batches):
            dropped |= {it.quant_tag: it.dropped for it in looked(number) if it.dropped}
    kept = [it.quant_tag for it in looked(len(batches)) if it.verdict is QuantVerdict.KEPT]
    return sum(map(len, asked.values())), kept[-1] if kept else None
