"""The order of cells by adherence, over the tasks that all of them were asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.ranking.difference import behind
from orket_lib.analysis.verdict.pairs import paired
from orket_lib.artifacts.views.ranking import Behind
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.nulls import Null


@dataclass(frozen=True)
class Entry:
    """A cell that takes part.

    Attributes:
        row: Its metrics.
        scores: Its score in 0..1 by task id.
    """

    row: RowMetrics
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Placed:
    """A cell with its place.

    Attributes:
        entry: The cell.
        rank: From 1; shared by neighbours that the tasks can't tell apart.
        scores: Its scores on the common tasks.
        behind_previous: How far it is behind the cell above; None for the first.
        behind_best: How far it is behind the first.
    """

    entry: Entry
    rank: int
    scores: tuple[float, ...]
    behind_previous: Behind | None
    behind_best: Behind | None


def common_tasks(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return the ids of the tasks that all cells were asked, sorted."""
    asked = [set(entry.scores) for entry in entries]
    return tuple(sorted(set.intersection(*asked))) if asked else ()


def placed(entries: Sequence[Entry], tasks: Sequence[str]) -> list[Placed]:
    """Return the cells, best first; equal ones by less memory, then by name.

    A cell shares the rank of the one above it unless that one is proved to be better. Ties chain:
    the last cell of a rank may be proved to be behind the first one; `behind_best` shows such
    distances.

    Args:
        entries: In any order; the result doesn't depend on it.
        tasks: The tasks that all of them were asked, at least one.
    """
    ordered = sorted(entries, key=lambda entry: _merit(entry, tasks))
    found: list[Placed] = []
    for number, entry in enumerate(ordered, start=1):
        previous = _distance(ordered[number - 2], entry, tasks) if found else None
        ties = previous is not None and not previous.proved
        found.append(
            Placed(
                entry=entry,
                rank=found[-1].rank if ties else number,
                scores=tuple(entry.scores[task] for task in tasks),
                behind_previous=previous,
                behind_best=_distance(ordered[0], entry, tasks) if found else None,
            )
        )
    return found


def _merit(entry: Entry, tasks: Sequence[str]) -> tuple[float, float, str, str]:
    memory = memory_mib(entry.row)
    return (
        -math.fsum(entry.scores[task] for task in tasks),
        math.inf if isinstance(memory, Null) else memory,
        entry.row.model_id,
        entry.row.quant_tag,
    )


def _distance(better: Entry, other: Entry, tasks: Sequence[str]) -> Behind:
    return behind(paired(better.scores, other.scores, tasks))
