"""From the run report of a context to its row: an ordinary one, and how full the context was."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from orket_lib.analysis.rows.aggregates import answered
from orket_lib.analysis.rows.quality import pollutes
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.views.context_ceiling import DepthScore
from orket_lib.artifacts.views.context_summary import ContextRow
from orket_lib.artifacts.views.row import RowMetrics, RowSettings
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, RunStatus, SidecarStatus
from orket_lib.vocabulary.thresholds import reaches

# Of the tokens that a prompt was to have; one with fewer says nothing of a full context.
_FEWEST = 0.9
_NOT_COUNTED = Null("TOKEN_COUNT_UNAVAILABLE")
_NO_FOLLOW_UP = Null("NO_FOLLOW_UP")
_FAILED = Null("FOLLOW_UP_FAILED")


def context_row(report: RunReport, settings: RowSettings, report_path: str) -> ContextRow:
    """Return the row of a context.

    Args:
        report: Of a measurement whose prompts fill the context.
        settings: Policy and labels of the sweep's rows.
        report_path: Where the report lies.
    """
    spec = report.spec
    assert spec.context is not None
    assert spec.n_ctx is not None
    metrics = build_row(
        report,
        settings.policy,
        settings.execution_lane,
        settings.quant_bits,
        SidecarStatus.NOT_APPLICABLE,
        report_path,
    )
    asked = spec.context.prompt_tokens(spec.n_ctx)
    if report.status is not RunStatus.MEASURED:
        nothing = dict.fromkeys(ContextRow.readings(), Null(f"STATUS_{report.status.upper()}"))
        return ContextRow.of(metrics=metrics, asked_tokens=asked, depths=(), **nothing)
    filled = list(_prompt_tokens(report))
    known = [value for value in filled if not isinstance(value, Null)]
    return ContextRow.of(
        metrics=_with_verdict(
            metrics, (*_polluted_by(metrics, settings.execution_lane), *_not_full(filled, asked))
        ),
        asked_tokens=asked,
        filled_min=min(known) / spec.n_ctx if known else _NOT_COUNTED,
        filled_mean=statistics.fmean(known) / spec.n_ctx if known else _NOT_COUNTED,
        ttft_ms=_median_of_follow_ups(report, "ttft_ms"),
        ttft_cold_ms=metrics.reading("ttft_ms"),
        cached_tokens=_median_of_follow_ups(report, "cached_tokens"),
        depths=_depths(metrics),
    )


def _prompt_tokens(report: RunReport) -> Iterator[float | Null]:
    """Yield the tokens of every prompt that the server took."""
    for run in report.test_runs:
        if answered(run):
            yield run.telemetry.token_metrics.counts.reading("prompt_tokens")
    for probe in report.probes:
        if probe.failure is None:
            yield probe.reading("prompt_tokens")


def _polluted_by(metrics: RowMetrics, lane: Lane) -> Iterator[str]:
    """Yield what polluted a row: nothing else that shows a context has a table of its reasons."""
    for item in metrics.run_quality_reasons:
        if pollutes(item, lane):
            yield f"{item.reason.value}: {item.evidence}"


def _not_full(filled: Sequence[float | Null], asked: int) -> tuple[str, ...]:
    """Return why a row says nothing of a full context; nothing where it does."""
    known = [value for value in filled if not isinstance(value, Null)]
    if len(known) < len(filled) or not known:
        return ("nobody counted how full the context was",)
    if reaches(min(known), _FEWEST * asked):
        return ()
    return (f"a prompt had {min(known):.0f} tokens of {asked} that were to fill the context",)


def _with_verdict(metrics: RowMetrics, because: tuple[str, ...]) -> RowMetrics:
    reasons = (*metrics.invalid_because, *because)
    return metrics.model_copy(update={"valid": not reasons, "invalid_because": reasons})


def _median_of_follow_ups(report: RunReport, reading: str) -> float | Null:
    """Return a median over all follow-ups; with a failed one, of the rest nothing follows (T10)."""
    for probe in report.probes:
        if probe.failure or (probe.follow_up and probe.follow_up.failure):
            return _FAILED
    values = [item.follow_up.reading(reading) for item in report.probes if item.follow_up]
    known = [value for value in values if not isinstance(value, Null)]
    if known:
        return statistics.median(known)
    return next((value for value in values if isinstance(value, Null)), _NO_FOLLOW_UP)


def _depths(metrics: RowMetrics) -> tuple[DepthScore, ...]:
    found: list[DepthScore] = []
    for score in metrics.adherence_by_family:
        family, _, depth = score.family.partition("@")
        fields: dict[str, Any] = score.model_dump()
        found.append(DepthScore(**(fields | {"family": family, "depth": float(depth)})))
    return tuple(found)
