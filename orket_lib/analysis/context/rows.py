"""From the run report of a context to its row: an ordinary one, and how full the context was."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from orket_lib.analysis.rows.aggregates import answered, task_scores
from orket_lib.analysis.rows.quality import pollutes
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.context_ceiling import DepthScore
from orket_lib.artifacts.views.context_summary import ContextAnswer, ContextRow
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.nulls import Null, all_of, any_of, known
from orket_lib.vocabulary.statuses import Lane, RunStatus, SidecarStatus
from orket_lib.vocabulary.thresholds import reaches

# Share of the wanted tokens; a prompt with fewer doesn't show how a full context behaves.
_FEWEST = 0.9
_NOT_COUNTED = Null("TOKEN_COUNT_UNAVAILABLE")
_NO_FOLLOW_UP = Null("NO_FOLLOW_UP")
_FAILED = Null("FOLLOW_UP_FAILED")


def context_row(report: RunReport, settings: RowSettings, report_path: str) -> ContextRow:
    """Return the row of a context.

    Args:
        report: A measurement whose prompts fill the context.
        settings: Policy and labels of the sweep's rows.
        report_path: Path of the report.
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
    return ContextRow.of(
        metrics=_with_verdict(
            metrics, (*_polluted_by(metrics, settings.execution_lane), *_not_full(filled, asked))
        ),
        asked_tokens=asked,
        filled_min=_share_of(spec.n_ctx, filled, min),
        filled_mean=_share_of(spec.n_ctx, filled, statistics.fmean),
        ttft_ms=_median_of_follow_ups(report, "ttft_ms"),
        ttft_cold_ms=metrics.reading("ttft_ms"),
        cached_tokens=_median_of_follow_ups(report, "cached_tokens"),
        depths=_depths(metrics),
        answers=tuple(
            ContextAnswer(
                task=it.test_id, family=it.family.partition("@")[0], score=it.adherence_score
            )
            for it in task_scores(report.test_runs)
            if it.adherence_score is not None
        ),
    )


def _share_of(
    n_ctx: int, filled: Sequence[float | Null], combine: Callable[[list[float]], float]
) -> float | Null:
    counted = known(filled)
    return combine(counted) / n_ctx if counted else _NOT_COUNTED


def _prompt_tokens(report: RunReport) -> Iterator[float | Null]:
    """Yield the number of tokens of every prompt that the server accepted."""
    for run in report.test_runs:
        if answered(run):
            yield run.telemetry.token_metrics.counts.reading("prompt_tokens")
    for probe in report.probes:
        if probe.failure is None:
            yield probe.reading("prompt_tokens")


def _polluted_by(metrics: RowMetrics, lane: Lane) -> Iterator[str]:
    """Yield what polluted a row; views of a context have no other place for these reasons."""
    for item in metrics.run_quality_reasons:
        if pollutes(item, lane):
            yield f"{item.reason.value}: {item.evidence}"


def _not_full(filled: Sequence[float | Null], asked: int) -> tuple[str, ...]:
    """Return why the prompts don't show how a full context behaves; empty if they do."""
    fewest = all_of(filled, min, _NOT_COUNTED)
    if isinstance(fewest, Null):
        return ("the server did not count the tokens in the context",)
    if reaches(fewest, _FEWEST * asked):
        return ()
    return (f"a prompt had {fewest:.0f} of the {asked} tokens needed to fill the context",)


def _with_verdict(metrics: RowMetrics, because: tuple[str, ...]) -> RowMetrics:
    reasons = (*metrics.invalid_because, *because)
    return metrics.model_copy(update={"valid": not reasons, "invalid_because": reasons})


def _median_of_follow_ups(report: RunReport, reading: str) -> float | Null:
    """Return the median over all follow-ups; null if one of them failed (T10)."""
    for probe in report.probes:
        if probe.failure or (probe.follow_up and probe.follow_up.failure):
            return _FAILED
    values = [item.follow_up.reading(reading) for item in report.probes if item.follow_up]
    return any_of(values, statistics.median, _NO_FOLLOW_UP)


def _depths(metrics: RowMetrics) -> tuple[DepthScore, ...]:
    found: list[DepthScore] = []
    for score in metrics.adherence_by_family:
        family, _, depth = score.family.partition("@")
        fields = score.model_dump() | {"family": family, "depth": float(depth)}
        found.append(DepthScore(**fields))
    return tuple(found)
