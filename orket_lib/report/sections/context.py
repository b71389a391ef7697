"""The report's section on context sweeps: results by context and by depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.analysis.frontier import memory_mib
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextPoint, DepthScore
from orket_lib.report.formatting import DASH, figure, ratio, shown
from orket_lib.vocabulary.nulls import Null


@dataclass(frozen=True)
class ContextSection:
    """The contexts of one model.

    Attributes:
        name: Model and quant.
        recommendation: The recommendation of the artifact.
        rows: Cells of one table line per context, including those not tried.
        depths: Column heads of the table by depth: positions of the fact in the text.
        by_depth: Cells of its lines, one per context and family; empty with a single depth.
    """

    name: str
    recommendation: str
    rows: tuple[tuple[str, ...], ...]
    depths: tuple[str, ...]
    by_depth: tuple[tuple[str, ...], ...]


def context_section(ceiling: ContextCeiling) -> ContextSection:
    """Return the section of one context sweep."""
    lines = {point.context: _cells(point) for point in ceiling.points}
    lines |= {
        left.context: (str(left.context), "not tried", *[DASH] * 9, left.reason)
        for left in ceiling.not_tried
    }
    depths, by_depth = _by_depth(ceiling.points)
    return ContextSection(
        name=f"{ceiling.model_id} {ceiling.quant_tag}",
        recommendation=ceiling.recommendation,
        rows=tuple(lines[context] for context in sorted(lines)),
        depths=depths,
        by_depth=by_depth,
    )


def _cells(point: ContextPoint) -> tuple[str, ...]:
    seen = point.seen
    filled = seen.reading("filled_mean") if seen else Null("NOT_MEASURED")
    cached = seen.reading("cached_tokens") if seen else Null("NOT_MEASURED")
    memory = memory_mib(seen) if seen else Null("NOT_MEASURED")
    return (
        str(point.context),
        "yes" if point.passed else "no",
        shown(point.reading("adherence_score"), ratio),
        _right(point),
        shown(point.reading("degradation_from_baseline"), ratio),
        shown(filled, ratio),
        shown(point.reading("ttft_ms"), figure),
        shown(cached, figure),
        shown(point.reading("ttft_cold_ms"), figure),
        shown(point.reading("decode_tps"), figure),
        shown(memory, figure),
        "; ".join(filter(None, (", ".join(point.reasons), point.detail, _missing(point))))
        or "none",
    )


def _right(point: ContextPoint) -> str:
    """Return `20 of 20 (0.861 to 1)`."""
    low, high = point.adherence_low, point.adherence_high
    if low is None or high is None:
        return DASH
    return f"{point.right:g} of {point.asked} ({ratio(low)} to {ratio(high)})"


def _by_depth(
    points: Sequence[ContextPoint],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return heads and lines of the table of adherence by depth; empty with a single depth."""
    lines: dict[tuple[int, str], dict[float, DepthScore]] = {}
    for point in points:
        for score in point.seen.depths if point.seen else ():
            lines.setdefault((point.context, score.family), {})[score.depth] = score
    depths = sorted({depth for scores in lines.values() for depth in scores})
    if len(depths) <= 1:
        return (), ()
    return tuple(f"{depth * 100:g} %" for depth in depths), tuple(
        (
            str(context),
            family,
            str(max(score.tasks for score in scores.values())),
            *(
                ratio(scores[depth].adherence_score) if depth in scores else DASH
                for depth in depths
            ),
        )
        for (context, family), scores in sorted(lines.items())
    )


def _missing(point: ContextPoint) -> str:
    """Return why a measured point lacks a number; `""` for one that was not measured."""
    if point.seen is None:
        return ""
    nulls = point.null_reasons | point.seen.null_reasons
    shown_ones = (*point.readings(), "filled_mean", "cached_tokens")
    missing = [f"{name}: {nulls[name]}" for name in shown_ones if name in nulls]
    memory = memory_mib(point.seen)
    if isinstance(memory, Null):
        missing.append(f"memory: {memory.reason}")
    return ", ".join(missing)
