"""The context ceiling: one point per context, and the largest contexts that pass the limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.analysis.statistics import binomial_bounds
from orket_lib.artifacts.views.context_ceiling import ContextPoint, ContextReason, ContextThresholds
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.statuses import ADVICE, AnswerFailure, RunStatus
from orket_lib.vocabulary.thresholds import exceeds, reaches

NO_CONTEXT_TRIED = Null("NO_CONTEXT_TRIED")
_SMALLEST_FAILED = Null("SMALLEST_CONTEXT_FAILED")
_NONE_PASSED = Null("NO_CONTEXT_PASSED")
_UNANSWERED = (AnswerFailure.TIMEOUT, AnswerFailure.FAULT)


def passes(figures: ContextFigures, thresholds: ContextThresholds) -> bool:
    """Tell whether a context passes; search and artifact share this definition."""
    return next(_reasons(figures, thresholds), None) is None


def context_points(
    figures: Sequence[ContextFigures], thresholds: ContextThresholds
) -> tuple[ContextPoint, ...]:
    """Return the points of all tried contexts, smallest first."""
    ordered = sorted(figures, key=lambda item: item.context)
    baseline = ordered[0].adherence if ordered else NO_CONTEXT_TRIED
    return tuple(_point(item, thresholds, baseline) for item in ordered)


def safe_ceiling(points: Sequence[ContextPoint]) -> int | Null:
    """Return the largest context up to which all tried contexts passed."""
    passed = list(takewhile(lambda point: point.passed, points))
    if passed:
        return passed[-1].context
    return _SMALLEST_FAILED if points else NO_CONTEXT_TRIED


def largest_passing(points: Sequence[ContextPoint]) -> int | Null:
    """Return the largest context that passed, even if smaller ones did not."""
    if not points:
        return NO_CONTEXT_TRIED
    return max((point.context for point in points if point.passed), default=_NONE_PASSED)


def _point(
    figures: ContextFigures, thresholds: ContextThresholds, baseline: float | Null
) -> ContextPoint:
    reasons = tuple(_reasons(figures, thresholds))
    counted = figures.asked > 0 and not isinstance(figures.adherence, Null)
    low, high = binomial_bounds(figures.right, figures.asked) if counted else (None, None)
    return ContextPoint.of(
        context=figures.context,
        adherence_score=figures.adherence,
        right=figures.right if counted else 0.0,
        asked=figures.asked if counted else 0,
        adherence_low=low,
        adherence_high=high,
        degradation_from_baseline=apply(
            lambda now, before: before - now, figures.adherence, baseline
        ),
        ttft_ms=figures.ttft_ms,
        ttft_cold_ms=figures.ttft_cold_ms,
        decode_tps=figures.decode_tps,
        valid=figures.valid,
        passed=not reasons,
        reasons=reasons,
        detail=_detail(figures),
        seen=figures.seen,
        summary_path=figures.summary_path,
    )


def _detail(figures: ContextFigures) -> str | None:
    if figures.status is not RunStatus.MEASURED:
        return figures.status_reason or figures.status.value
    known = list(figures.invalid_because)
    if figures.unanswered:
        known.append(f"{figures.unanswered} of {figures.runs} runs were errors or timeouts")
    known += [
        f"{item.runs} of {figures.runs} answers failed for {item.failure}: {ADVICE[item.failure]}"
        for item in figures.failures
        if item.failure in ADVICE and item.failure not in _UNANSWERED
    ]
    return "; ".join(known) or None


def _reasons(figures: ContextFigures, thresholds: ContextThresholds) -> Iterator[ContextReason]:
    """Yield why a context does not pass; a limit of 0 or less is off, and null passes no limit."""
    if not figures.loaded:
        yield "CONTEXT_NOT_LOADED"
        return
    measured = figures.status is RunStatus.MEASURED
    if not (figures.valid or (thresholds.include_invalid and measured)):
        yield "INVALID_ROW"
    least, adherence = thresholds.adherence_min, figures.adherence
    if least > 0 and (isinstance(adherence, Null) or not reaches(adherence, least)):
        yield "ADHERENCE_BELOW_MIN"
    most, ttft_ms = thresholds.ttft_ceiling_ms, figures.ttft_ms
    if most > 0:
        if isinstance(ttft_ms, Null):
            yield "TTFT_MISSING"
        elif exceeds(ttft_ms, most):
            yield "TTFT_ABOVE_CEILING"
    floor, decode = thresholds.decode_floor_tps, figures.decode_tps
    if floor > 0:
        if isinstance(decode, Null):
            yield "DECODE_TPS_MISSING"
        elif not reaches(decode, floor):
            yield "DECODE_TPS_BELOW_FLOOR"
