"""Which tasks count in verdicts: those that the baseline can do.

A task that the baseline fails can't be lost. Tasks are selected in groups (strata) by family and
level, and by the baseline's scores alone. Selecting and counting on the same answers would favour
the baseline, so each stratum is split into two halves, and each half counts if the baseline passes
in the *other* half.
"""

from __future__ import annotations

import hashlib
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.verdict import TaskStratum

MASTERED = 0.5
SMALLEST_STRATUM = 8
FEWEST_TASKS = 20
_SEED = "orket"

Key = tuple[str, ...]


@dataclass(frozen=True)
class JudgedTask:
    """A task and its group.

    Attributes:
        task_id: Id of the task in rows.
        bank: Its task bank.
        family: Its kind of work.
        level: Its intended difficulty; "" if the bank has no levels.
    """

    task_id: str
    bank: str
    family: str
    level: str = ""


@dataclass(frozen=True)
class Judging:
    """The tasks that count.

    Attributes:
        counted: Their ids, sorted.
        strata: All groups by name; groups in which nothing counts are too hard.
    """

    counted: tuple[str, ...]
    strata: tuple[TaskStratum, ...]

    @property
    def too_hard(self) -> bool:
        """Tell whether too few tasks are left for a verdict."""
        return len(self.counted) < FEWEST_TASKS


def tasks_that_judge(tasks: Iterable[JudgedTask], baseline: Mapping[str, float]) -> Judging:
    """Return the tasks that count.

    Args:
        tasks: The tasks that were asked; those that the baseline was not asked are left out.
        baseline: The baseline's score in 0..1 by task id.
    """
    counted: list[str] = []
    strata = []
    asked = [task for task in tasks if task.task_id in baseline]
    named_from = 0 if len({task.bank for task in asked}) > 1 else 1
    for key, members in sorted(_strata(asked).items()):
        ids = sorted((task.task_id for task in members), key=_shuffled)
        halves = ids[::2], ids[1::2]
        mastered = [
            half
            for half, other in (halves, halves[::-1])
            if other and statistics.fmean(baseline[task] for task in other) >= MASTERED
        ]
        kept = [task for half in mastered for task in half]
        counted += kept
        strata.append(
            TaskStratum(
                name="/".join(filter(None, key[named_from:])) or key[-1],
                tasks=len(ids),
                baseline=statistics.fmean(baseline[task] for task in ids),
                counted=len(kept),
            )
        )
    return Judging(tuple(sorted(counted)), tuple(strata))


def tasks_of(
    asked: Iterable[JudgedTask], baseline: Mapping[str, float], quant: Mapping[str, float]
) -> Judging:
    """Return the tasks that count for one quant: those that it was asked, as if there were no more.

    So a quant that was dropped early keeps the verdict that it was dropped with.

    Args:
        asked: The tasks of the sweep.
        baseline: The baseline's score in 0..1 by task id.
        quant: The quant's.
    """
    return tasks_that_judge([task for task in asked if task.task_id in quant], baseline)


def _strata(tasks: Sequence[JudgedTask]) -> dict[Key, list[JudgedTask]]:
    """Return tasks by bank, family and level; small groups pooled by family, then by bank."""
    groups: dict[Key, list[JudgedTask]] = defaultdict(list)
    for task in tasks:
        groups[(task.bank, task.family, task.level)].append(task)
    for depth in (2, 1, 0):
        pooled: dict[Key, list[JudgedTask]] = defaultdict(list)
        for key, members in groups.items():
            large = len(members) >= SMALLEST_STRATUM
            pooled[key if large else (*key[:depth], "other")] += members
        groups = pooled
    return groups


def _shuffled(task_id: str) -> str:
    """Return a sort key that puts tasks into a reproducible random order."""
    return hashlib.sha256(f"{_SEED} {task_id}".encode()).hexdigest()
