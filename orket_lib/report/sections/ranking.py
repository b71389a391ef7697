"""The report's section on all models together: one ranking, and what fits into a memory size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.ranking import Behind, BestFit, RankedCell, Ranking
from orket_lib.report.formatting import DASH, figure, figures, ratio
from orket_lib.vocabulary.statuses import Lane

Cells = tuple[str, ...]


@dataclass(frozen=True)
class RankingSection:
    """The tables of the ranking.

    Attributes:
        tasks: How many tasks all ranked cells were asked.
        conclusions: The ranking in words, a line each.
        ranked: Rank, model, quant, adherence, distance to the best, decode rate, memory, and
            whether it is in the Pareto set.
        fits: Memory size, model, quant, memory that it needs.
    """

    tasks: int
    conclusions: Sequence[str]
    ranked: Sequence[Cells]
    fits: Sequence[Cells]


def ranking_section(ranking: Ranking | None, lane: Lane) -> RankingSection | None:
    """Return the tables; None for a sweep of one model.

    Args:
        ranking: That of the summary.
        lane: In lane ci speeds don't count.
    """
    if ranking is None:
        return None
    return RankingSection(
        tasks=ranking.tasks,
        conclusions=ranking.conclusions,
        ranked=[_ranked(cell, lane) for cell in ranking.cells],
        fits=[_fit(item) for item in ranking.best_that_fits] if ranking.cells else [],
    )


def _ranked(cell: RankedCell, lane: Lane) -> Cells:
    return (
        str(cell.rank),
        cell.model_id,
        cell.quant_tag,
        f"{ratio(cell.adherence)} ({ratio(cell.low)} to {ratio(cell.high)})",
        _behind(cell.behind_best),
        *figures(cell, "generation_tokens_per_second", "memory_mib"),
        _pareto(cell, lane),
    )


def _behind(distance: Behind | None) -> str:
    if distance is None:
        return "best"
    interval = f"{distance.adherence:.3f} ({distance.low:.3f} to {distance.high:.3f})"
    return interval if distance.proved else f"{interval}, not distinguished"


def _pareto(cell: RankedCell, lane: Lane) -> str:
    if cell.pareto is not None:
        return "yes" if cell.pareto else "no"
    needed = ["memory_mib"] if lane is Lane.CI else ["generation_tokens_per_second", "memory_mib"]
    reasons = (cell.null_reasons[name] for name in needed if name in cell.null_reasons)
    return f"unknown: {'; '.join(reasons)}"


def _fit(item: BestFit) -> Cells:
    if item.model_id is None or item.quant_tag is None or item.needs_gib is None:
        return (f"{item.gib} GiB", DASH, DASH, "no ranked quant is known to fit")
    return (
        f"{item.gib} GiB",
        item.model_id,
        item.quant_tag,
        f"{figure(item.needs_gib)} GiB of {item.by}",
    )
