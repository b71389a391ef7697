"""The recommendation of a context sweep, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orket_lib.analysis.context.ceiling import largest_passing, safe_ceiling
from orket_lib.analysis.context.figures import NO_FOLLOW_UP, NOT_FILLED, ContextFigures
from orket_lib.analysis.context.wanted import worth
from orket_lib.artifacts.views.context_ceiling import ContextPoint, ContextThresholds
from orket_lib.artifacts.views.verdict import WantCheck
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane


def context_advice(
    name: str,
    points: Sequence[ContextPoint],
    thresholds: ContextThresholds,
    lane: Lane,
    want: WantCheck | None = None,
) -> str:
    """Return which context to use, what fails first beyond it, and the limits of the sweep.

    Args:
        name: Model and quant.
        points: At least one, smallest context first.
        thresholds: The limits.
        lane: Decides whether speeds count.
        want: Whether the context that the config wants is met, if it wants one.
    """
    said = list(_sentences(name, points, thresholds, lane))
    if want:
        because = f": {want.because}" if want.because else ""
        said.append(f"The wanted context of {want.limit:g} is {want.status}{because}.")
    return " ".join(said)


def served_differently(figures: Sequence[ContextFigures]) -> str | None:
    """Return a warning if the contexts are not of one model file and build; None if they are."""
    served = [item.served for item in figures if item.served]
    for name in ("sha256", "digest", "build"):
        values = list(dict.fromkeys(str(getattr(item, name)) for item in served))
        if len(values) > 1:
            return (
                f"The contexts were measured with different servers or files ({name} "
                f"{', '.join(values)}), so differences between them may have other causes."
            )
    return None


def _sentences(
    name: str, points: Sequence[ContextPoint], thresholds: ContextThresholds, lane: Lane
) -> Iterator[str]:
    ceiling, largest = safe_ceiling(points), largest_passing(points)
    failed = next((point for point in points if not point.passed), None)
    if isinstance(ceiling, Null):
        yield f"{name}: no context is safe, not even the smallest one tried."
    else:
        yield f"{name}: use a context of up to {ceiling} tokens."
        if thresholds.adherence_min > 0:
            at = next(point for point in points if point.context == ceiling)
            yield f"There, {worth(at)}."
    if failed is None:
        yield "That is the largest one tried, so the ceiling may be higher."
    else:
        yield f"At {failed.context} {_broken(failed, thresholds)}."
    if not isinstance(largest, Null) and failed is not None and largest > failed.context:
        yield f"{largest} passed again, which points to chance or a disturbance, not to a ceiling."
    if any(_unfilled(point) for point in points):
        yield (
            "These are ordinary sweeps, whose prompts don't fill the context: adherence and speed "
            "of a full context were not measured."
        )
    if len(points) == 1:
        yield "Only one context was tried, so there is no trend over the context."
    if any("TTFT_MISSING" in it.reasons and it.reading("ttft_ms") == NO_FOLLOW_UP for it in points):
        yield "Set the TTFT ceiling to 0 ms to pass contexts without a follow-up TTFT."
    if lane is Lane.CI:
        yield "In lane ci speeds are not evidence."


def _unfilled(point: ContextPoint) -> bool:
    return point.seen is not None and point.seen.reading("filled_mean") == NOT_FILLED


def _broken(point: ContextPoint, thresholds: ContextThresholds) -> str:
    """Return why a context failed, the first reason first."""
    words = {
        "CONTEXT_NOT_LOADED": f"the model could not be loaded: {point.detail}",
        "INVALID_ROW": f"the measurement is not valid: {point.detail}",
        "ADHERENCE_BELOW_MIN": _against(
            "adherence", point.reading("adherence_score"), "below", thresholds.adherence_min
        )
        + (f" ({worth(point)})" if point.asked else ""),
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
    # Low adherence from answers that never came doesn't mean that the model forgot anything.
    return f"{said} ({point.detail})" if point.detail and point.detail not in said else said


def _against(what: str, value: float | Null, how: str, limit: float) -> str:
    if isinstance(value, Null):
        return f"{what} is unknown"
    return f"{what} is {value:.4g}, {how} {limit:g}"
