"""From the rows of several models to their ranking, Pareto set, and the best for a memory size."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.pareto import undominated
from orket_lib.analysis.ranking.conclusions import conclusions
from orket_lib.analysis.ranking.order import Entry, Placed, common_tasks, placed
from orket_lib.analysis.statistics import interval_of_share
from orket_lib.analysis.verdict.baseline import scores_of_row
from orket_lib.artifacts.views.ranking import (
    BestFit,
    MemoryKind,
    RankedCell,
    Ranking,
    UnrankedCell,
)
from orket_lib.artifacts.views.row import Row, RowMetrics
from orket_lib.vocabulary.nulls import Null, all_of
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import exceeds
from orket_lib.vocabulary.units import MIB_PER_GIB

MEMORY_SIZES_GIB = (4, 8, 12, 16, 24, 48)
_NO_COMMON_TASK = "there is no task that all cells were asked"


def rank_models(rows: Iterable[Row], include_invalid: bool, lane: Lane) -> Ranking | None:
    """Return the ranking of all cells of a sweep; None if it has fewer than two models.

    Quality alone decides who takes part: a row whose times were disturbed is ranked.

    Args:
        rows: All rows, in any order.
        include_invalid: Also rank answers that a disturbance may have changed.
        lane: In lane ci speeds don't count.
    """
    listed = sorted(rows, key=lambda row: (row.metrics.model_id, row.metrics.quant_tag))
    if len({row.metrics.model_id for row in listed}) < 2:
        return None
    entries, unranked = [], []
    for row in listed:
        scores = {
            item.test_id: item.adherence_score
            for item in row.task_scores
            if item.adherence_score is not None
        }
        found = scores_of_row(row.metrics, scores, include_invalid)
        if found.scores:
            entries.append(Entry(row.metrics, found.scores))
        else:
            unranked.append(_unranked(row.metrics, found.reason or _NO_COMMON_TASK))
    tasks = common_tasks(entries)
    if not tasks:
        unranked += [_unranked(entry.row, _NO_COMMON_TASK) for entry in entries]
    cells = _cells(placed(entries, tasks) if tasks else [], include_invalid, lane)
    fits = [best_that_fits(cells, gib) for gib in MEMORY_SIZES_GIB]
    return Ranking(
        tasks=len(tasks),
        cells=cells,
        unranked=unranked,
        best_that_fits=fits,
        conclusions=conclusions(cells, len(tasks), fits, unranked),
    )


def best_that_fits(cells: Sequence[RankedCell], gib: int) -> BestFit:
    """Return the best cell that needs no more than a memory size.

    Args:
        cells: The ranking, best first; cells whose memory is unknown are passed over.
        gib: The size.
    """
    for cell in cells:
        if cell.fits_mib is not None and not exceeds(cell.fits_mib, gib * MIB_PER_GIB):
            return BestFit(
                gib=gib,
                model_id=cell.model_id,
                quant_tag=cell.quant_tag,
                by=cell.fits_by,
                needs_gib=cell.fits_mib / MIB_PER_GIB,
            )
    return BestFit(gib=gib, model_id=None, quant_tag=None, by=None, needs_gib=None)


def _cells(ordered: Sequence[Placed], include_invalid: bool, lane: Lane) -> list[RankedCell]:
    points = [_merits(item, include_invalid, lane) for item in ordered]
    known = [point for point in points if not isinstance(point, Null)]
    kept = dict(zip(known, undominated(known), strict=True))
    return [
        _cell(item, None if isinstance(point, Null) else kept[point], include_invalid)
        for item, point in zip(ordered, points, strict=True)
    ]


def _cell(item: Placed, pareto: bool | None, include_invalid: bool) -> RankedCell:
    row = item.entry.row
    low, high = interval_of_share(item.scores)
    vram = row.reading("peak_vram_mib")
    by_vram = not isinstance(vram, Null)
    fits = vram if by_vram else memory_mib(row)
    kind = MemoryKind.VRAM if by_vram else MemoryKind.SUM
    return RankedCell.of(
        rank=item.rank,
        model_id=row.model_id,
        quant_tag=row.quant_tag,
        adherence=statistics.fmean(item.scores),
        low=low,
        high=high,
        behind_previous=item.behind_previous,
        behind_best=item.behind_best,
        generation_tokens_per_second=_speed(row, include_invalid),
        memory_mib=memory_mib(row),
        fits_mib=fits,
        fits_by=None if isinstance(fits, Null) else kind,
        pareto=pareto,
    )


def _merits(item: Placed, include_invalid: bool, lane: Lane) -> tuple[float, ...] | Null:
    """Return what a cell is compared by, larger is better."""
    row = item.entry.row
    speeds = [] if lane is Lane.CI else [_speed(row, include_invalid)]
    memory = memory_mib(row)
    smaller = memory if isinstance(memory, Null) else -memory
    return all_of([statistics.fmean(item.scores), *speeds, smaller], tuple, Null("NOT_MEASURED"))


def _speed(row: RowMetrics, include_invalid: bool) -> float | Null:
    if row.speed_valid or include_invalid:
        return row.reading("generation_tokens_per_second")
    return Null("TIMES_DISTURBED")


def _unranked(row: RowMetrics, reason: str) -> UnrankedCell:
    return UnrankedCell(model_id=row.model_id, quant_tag=row.quant_tag, reason=reason)
