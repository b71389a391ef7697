"""The figures of one context, from the summary of a context sweep or of an ordinary sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orket_lib.analysis.frontier import served_in_row
from orket_lib.artifacts.views.context_ceiling import ContextSeen, DepthScore
from orket_lib.artifacts.views.context_summary import ContextAnswer, ContextRow
from orket_lib.artifacts.views.frontier import MeasuredWith
from orket_lib.artifacts.views.row import FailureCount, RowMetrics
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

_NOT_LOADED = (RunStatus.LOAD_FAILED, RunStatus.OUT_OF_MEMORY)
# The speed probes of an ordinary sweep have about 512 tokens, at any context.
NO_FOLLOW_UP = Null("SWEEP_HAS_NO_FOLLOW_UP")
NOT_FILLED = Null("SWEEP_DOES_NOT_FILL_THE_CONTEXT")


@dataclass(frozen=True)
class ContextFigures:
    """The figures of one context that the limits apply to.

    Attributes:
        context: Size in tokens.
        status: Status of the measurement.
        status_reason: Why it was not measured.
        adherence: Share of graded work.
        ttft_ms: TTFT of a follow-up.
        ttft_cold_ms: TTFT of a prompt that fills the context.
        decode_tps: Decode rate.
        valid: Whether the row is valid, see `analysis.rows.quality`.
        invalid_because: Why it is not.
        unanswered: Graded runs that were errors or timeouts.
        runs: Graded runs.
        failures: How answers failed.
        right: Tasks answered right.
        asked: Tasks.
        seen: Figures without a limit.
        served: Model file and build; None if nothing was served.
        summary_path: Path of the summary.
        answers: The score of each task, if its answers may be judged.
    """

    context: int
    status: RunStatus
    status_reason: str | None
    adherence: float | Null
    ttft_ms: float | Null
    ttft_cold_ms: float | Null
    decode_tps: float | Null
    valid: bool
    invalid_because: tuple[str, ...]
    unanswered: int
    runs: int
    failures: tuple[FailureCount, ...]
    right: float
    asked: int
    seen: ContextSeen | None
    served: MeasuredWith | None
    summary_path: str
    answers: tuple[ContextAnswer, ...] = ()

    @property
    def loaded(self) -> bool:
        """Whether the model could be loaded with this context."""
        return self.status not in _NOT_LOADED


def of_context_row(context: int, row: ContextRow, path: str) -> ContextFigures:
    """Return the figures of a row of a context sweep."""
    figures = _figures(
        context,
        row.metrics,
        path,
        row.reading("ttft_ms"),
        row.reading("ttft_cold_ms"),
        (row.reading("filled_min"), row.reading("filled_mean"), row.reading("cached_tokens")),
        row.depths,
    )
    judged = row.metrics.quality_valid
    return replace(figures, answers=row.answers if judged else ())


def of_sweep_row(context: int, row: RowMetrics, path: str) -> ContextFigures:
    """Return the figures of an ordinary sweep at this context; its prompts don't fill it."""
    unfilled = (NOT_FILLED, NOT_FILLED, NO_FOLLOW_UP)
    return _figures(context, row, path, NO_FOLLOW_UP, NOT_FILLED, unfilled)


def _figures(
    context: int,
    row: RowMetrics,
    path: str,
    ttft_ms: float | Null,
    ttft_cold_ms: float | Null,
    filled: tuple[float | Null, float | Null, float | Null],
    depths: tuple[DepthScore, ...] = (),
) -> ContextFigures:
    measured, families = row.status is RunStatus.MEASURED, row.adherence_by_family
    seen = ContextSeen.of(
        filled_min=filled[0],
        filled_mean=filled[1],
        cached_tokens=filled[2],
        peak_memory_rss=row.reading("peak_memory_rss"),
        peak_vram_mib=row.reading("peak_vram_mib"),
        depths=depths,
    )
    return ContextFigures(
        context=context,
        status=row.status,
        status_reason=row.status_reason,
        adherence=row.reading("adherence_score"),
        ttft_ms=ttft_ms,
        ttft_cold_ms=ttft_cold_ms,
        decode_tps=row.reading("generation_tokens_per_second"),
        valid=row.valid,
        invalid_because=row.invalid_because,
        unanswered=row.failed_runs,
        runs=row.test_runs,
        failures=row.failures,
        right=round(sum(each.adherence_score * each.tasks for each in families), 9),
        asked=sum(each.tasks for each in families),
        seen=seen if measured else None,
        served=served_in_row(row),
        summary_path=path,
    )
