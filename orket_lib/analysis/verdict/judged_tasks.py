"""Which tasks can judge: those that the baseline masters.

A task that the baseline fails can't be lost. They are chosen by family and level, and by the
baseline alone, never by the quants. Chosen on the same answers that are counted, the baseline would
look better than it is, and every quant worse; so each stratum is split into two halves, and each
half counts if the baseline masters the *other* one.
"""

from __future__ import annotations

import hashlib
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MASTERED = 0.5
SMALLEST_STRATUM = 8
FEWEST_TASKS = 20
_SEED = "orket"

Key = tuple[str, ...]


@dataclass(frozen=True)
class JudgedTask:
    """Where a task belongs.

    Attributes:
        task_id: As rows name it.
        bank: The bank that it is from.
        family: What kind of work it is.
        level: How hard it is meant to be; "" where its bank has no levels.
    """

    task_id: str
    bank: str
    family: str
    level: str = ""


@dataclass(frozen=True)
class Stratum:
    """Tasks of one kind, as the baseline answered them.

    Attributes:
        name: Bank, family and level, as far as they are one.
        tasks: How many.
        baseline: Its mean score over them.
        counted: How many of them count.
    """

    name: str
    tasks: int
    baseline: float
    counted: int


@dataclass(frozen=True)
class Judging:
    """Which tasks count.

    Attributes:
        counted: Their ids, sorted.
        strata: All strata, by name; those with nothing counted are the ones that are too hard.
    """

    counted: tuple[str, ...]
    strata: tuple[Stratum, ...]

    @property
    def too_hard(self) -> bool:
        """Tell whether too few tasks are left for any claim on quality."""
        return len(self.counted) < FEWEST_TASKS


def tasks_that_judge(tasks: Iterable[JudgedTask], baseline: Mapping[str, float]) -> Judging:
    """Return which tasks the baseline masters.

    Args:
        tasks: Those that were asked; one that the baseline was not asked is left out.
        baseline: Its score in 0..1 by task id.
    """
    counted: list[str] = []
    strata = []
    for key, members in sorted(_strata([t for t in tasks if t.task_id in baseline]).items()):
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
            Stratum(
                name="/".join(filter(None, key)),
                tasks=len(ids),
                baseline=statistics.fmean(baseline[task] for task in ids),
                counted=len(kept),
            )
        )
    return Judging(tuple(sorted(counted)), tuple(strata))


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
    """Return what puts tasks into an order that has nothing to do with what they ask."""
    return hashlib.sha256(f"{_SEED} {task_id}".encode()).hexdigest()
