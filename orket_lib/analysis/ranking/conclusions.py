"""The ranking of all models in words: the best, what is as good, and what fits into a memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from orket_lib.artifacts.views.ranking import BestFit, MemoryKind, RankedCell, UnrankedCell

_MOST_NAMES = 3
_HALF = 0.5
_BY = {MemoryKind.VRAM: "by VRAM", MemoryKind.SUM: "by RAM, as no GPU serves"}


def conclusions(
    cells: Sequence[RankedCell],
    tasks: int,
    fits: Sequence[BestFit],
    unranked: Sequence[UnrankedCell],
) -> list[str]:
    """Return the ranking in words, a line each.

    Args:
        cells: The ranking, best first.
        tasks: How many tasks all of them were asked.
        fits: The best by memory size, smallest first.
        unranked: Cells that take no part.
    """
    left_out = _left_out(unranked)
    if not cells:
        return [f"no ranking of the models: {left_out}"]
    lines = [_best(cells, tasks), *_other_models(cells), _fits(cells, fits)]
    return [*lines, *([f"not ranked: {left_out}"] if left_out else [])]


def _best(cells: Sequence[RankedCell], tasks: int) -> str:
    best = cells[0]
    said = (
        f"best of all: {best.name}, adherence {best.adherence:.3f} "
        f"({best.low:.3f} to {best.high:.3f}) on {tasks} tasks"
    )
    if best.adherence < _HALF:
        said += ", so even the best one fails most of these tasks"
    level = [cell for cell in cells[1:] if _as_good(cell)]
    if not level:
        return f"{said}; all others are behind it"
    said += f"; these tasks can't tell it from {_listed([cell.name for cell in level])}"
    known = [(cell.memory_mib, cell.name) for cell in (best, *level) if cell.memory_mib is not None]
    smallest = min(known, default=None)
    if smallest is None:
        return said
    return f"{said}; {smallest[1]} needs the least memory of these"


def _other_models(cells: Sequence[RankedCell]) -> list[str]:
    """Return how far the best quant of each other model is behind the best of all."""
    lines, seen = [], {cells[0].model_id}
    for cell in cells[1:]:
        distance = cell.behind_best
        if cell.model_id in seen or distance is None:
            continue
        seen.add(cell.model_id)
        by = f"{distance.adherence:.3f} ({distance.low:.3f} to {distance.high:.3f})"
        lines.append(
            f"best of {cell.model_id}: {cell.quant_tag} is behind by {by}"
            if distance.proved
            else f"best of {cell.model_id}: {cell.quant_tag} may be as good (behind by {by})"
        )
    return lines


def _fits(cells: Sequence[RankedCell], fits: Sequence[BestFit]) -> str:
    """Return the best for each memory size; sizes with the same answer are one range."""
    if all(cell.fits_mib is None for cell in cells):
        why = cells[0].null_reasons["fits_mib"]
        return f"best that fits: unknown, because no memory was measured ({why})"
    kinds = {item.by for item in fits if item.by}
    ranges = []
    for key, group in groupby(fits, key=lambda item: (item.model_id, item.quant_tag, item.by)):
        sizes = [item.gib for item in group]
        span = f"{sizes[0]} to {sizes[-1]} GiB" if sizes[1:] else f"{sizes[0]} GiB"
        model, quant, by = key
        if model is None or by is None:
            ranges.append(f"{span}: none")
        else:
            ranges.append(f"{span}: {model} {quant}" + (f" ({_BY[by]})" if kinds - {by} else ""))
    shared = f" ({_BY[next(iter(kinds))]})" if len(kinds) == 1 else ""
    return f"best that fits{shared}: {'; '.join(ranges)}"


def _left_out(unranked: Sequence[UnrankedCell]) -> str:
    return "; ".join(f"{cell.model_id} {cell.quant_tag} ({cell.reason})" for cell in unranked)


def _as_good(cell: RankedCell) -> bool:
    return cell.behind_best is not None and not cell.behind_best.proved


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMES + 1:
        return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} others"
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
