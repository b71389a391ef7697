"""The recommendation of a context sweep in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orket_lib.analysis.context.ceiling import largest_passing, safe_ceiling
from orket_lib.analysis.context.figures import NO_FOLLOW_UP, NOT_FILLED, ContextFigures
from orket_lib.artifacts.views.context_ceiling import ContextPoint, ContextThresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane


def context_advice(
    name: str, points: Sequence[ContextPoint], thresholds: ContextThresholds, lane: Lane
) -> str:
    """Return which context to use, what breaks first beyond it, and what the sweep can't say.

    Args:
        name: Of model and quant.
        points: At least one, smallest context first.
        thresholds: That they were judged by.
        lane: Whether speeds are evidence.
    """
    return " ".join(_sentences(name, points, thresholds, lane))


def served_differently(figures: Sequence[ContextFigures]) -> str | None:
    """Return that the contexts are not of one model file and build; None where they are."""
    served = [item.served for item in figures if item.served]
    for name in ("sha256", "digest", "build"):
        values = list(dict.fromkeys(str(getattr(item, name)) for item in served))
        if len(values) > 1:
            return (
                f"The contexts were not served alike ({name} {', '.join(values)}), so what "
                "differs between them need not be the context's doing."
            )
    return None


def _sentences(
    name: str, points: Sequence[ContextPoint], thresholds: ContextThresholds, lane: Lane
) -> Iterator[str]:
    ceiling, largest = safe_ceiling(points), largest_passing(points)
    failed = next((point for point in points if not point.passed), None)
    if isinstance(ceiling, Null):
        yield f"{name}: no context is safe, not even the smallest that was tried."
    else:
        yield f"{name}: use a context of up to {ceiling} tokens."
    if failed is None:
        yield "That is the largest that was tried, so the ceiling may be higher."
    else:
        yield f"At {failed.context} {_broken(failed, thresholds)}."
    if not isinstance(largest, Null) and failed is not None and largest > failed.context:
        yield f"{largest} passed again, which is chance or a disturbance rather than a ceiling."
    if any(_unfilled(point) for point in points):
        yield (
            "These are ordinary sweeps, whose prompts don't fill a context: it was served, and "
            "nothing is known of adherence and speed once it is full."
        )
    if len(points) == 1:
        yield "Only one context was tried: nothing can be said of how it falls off."
    if any("TTFT_MISSING" in it.reasons and it.reading("ttft_ms") == NO_FOLLOW_UP for it in points):
        yield "Where there is no follow-up TTFT, a ceiling of 0 ms switches that gate off."
    if lane is Lane.CI:
        yield "In lane ci speeds are no evidence."


def _unfilled(point: ContextPoint) -> bool:
    return point.seen is not None and point.seen.reading("filled_mean") == NOT_FILLED


def _broken(point: ContextPoint, thresholds: ContextThresholds) -> str:
    """Return what breaks at a context, the first reason first."""
    words = {
        "CONTEXT_NOT_LOADED": f"it can't be had: {point.detail}",
        "INVALID_ROW": f"the measurement doesn't count: {point.detail}",
        "ADHERENCE_BELOW_MIN": _against(
            "adherence", point.reading("adherence_score"), "below", thresholds.adherence_min
        ),
        "TTFT_MISSING": "there is no follow-up TTFT",
        "TTFT_ABOVE_CEILING": _against(
            "the follow-up's TTFT in ms",
            point.reading("ttft_ms"),
            "above",
            thresholds.ttft_ceiling_ms,
        ),
        "DECODE_TPS_MISSING": "there is no decode rate",
        "DECODE_TPS_BELOW_FLOOR": _against(
            "decode in t/s", point.reading("decode_tps"), "below", thresholds.decode_floor_tps
        ),
    }
    said = ", and ".join(words[reason] for reason in point.reasons)
    # Beside a reason that has no room for it: of answers that never came the model forgot nothing.
    return f"{said} ({point.detail})" if point.detail and point.detail not in said else said


def _against(what: str, value: float | Null, how: str, limit: float) -> str:
    if isinstance(value, Null):
        return f"{what} is unknown"
    return f"{what} is {value:.4g}, {how} {limit:g}"
