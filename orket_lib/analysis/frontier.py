"""The efficiency frontier of a model: baseline, eligible quants, minimum viable, best value.

In lane ci nothing is decided or ranked by speed, because speeds are not evidence there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add

from orket_lib.analysis.pareto import undominated
from orket_lib.analysis.verdict.baseline import baseline_among, scores_of_row
from orket_lib.artifacts.views.context_ceiling import ContextSeen
from orket_lib.artifacts.views.frontier import FrontierRow, FrontierSession, MeasuredWith
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.statuses import (
    DecisionStatus,
    FidelityMode,
    Lane,
    Prefer,
    RunStatus,
    WantName,
)
from orket_lib.vocabulary.thresholds import LEAST_BASELINE_ADHERENCE, exceeds, reaches
from orket_lib.vocabulary.units import MIB_PER_GIB

_NO_VRAM = Null("NO_GPU_USED")


@dataclass(frozen=True)
class FrontierPolicy:
    """What makes a quant eligible.

    Attributes:
        adherence_threshold: Share of the baseline's adherence that must be kept.
        latency_ceiling: Limit of the mean latency, in seconds.
        include_invalid: Include rows that are not valid.
        prefer: Whether to recommend the smallest or the best quant that suffices.
        wants: Further limits by name, in addition to the latency ceiling.
        fidelity: How the answers are compared with the baseline's, right or wrong.
        quality_only: On a busy machine answers are what is asked for (`canary_on_latency`): the
            KPI gate doesn't count disturbed times.
        quick: Only a few of the tasks were asked.
    """

    adherence_threshold: float
    latency_ceiling: float
    include_invalid: bool
    prefer: Prefer = Prefer.SMALLEST
    wants: Mapping[WantName, float] = field(default_factory=dict)
    fidelity: FidelityMode = FidelityMode.AGREEMENT
    quality_only: bool = False
    quick: bool = False


def by_bits(rows: Iterable[RowMetrics]) -> list[RowMetrics]:
    """Return rows with the most bits per weight first; rows without a rank come last.

    Of one quant the plain cell is first, then its variants by the size of their KV cache.
    """
    return sorted(rows, key=_size)


def _size(row: RowMetrics) -> tuple[float, bool, float, str]:
    cache = row.artifact.kv_cache
    variant = row.variant is not None
    return -(row.quant_rank or 0.0), variant, -cache.mib if cache else 0.0, row.quant_tag


def baseline_of(rows: Iterable[RowMetrics], include_invalid: bool) -> RowMetrics | None:
    """Return the row with the most bits per weight whose answers may be judged, or None.

    Also None if a larger quant had a temporary failure: the verdict waits for it and does not use
    another baseline (T35).
    """
    ordered = by_bits(rows)
    found = baseline_among([scores_of_row(row, {}, include_invalid) for row in ordered]).used
    return next((row for row in ordered if found and row.quant_tag == found.quant), None)


def eligible_rows(
    rows: Iterable[RowMetrics], baseline: RowMetrics, policy: FrontierPolicy, lane: Lane
) -> list[RowMetrics]:
    """Return the admitted rows that keep the baseline's adherence within the latency ceiling."""
    if does_nothing(baseline):
        return []
    floor = (baseline.adherence_score or 0.0) * policy.adherence_threshold
    return [
        row
        for row in by_bits(rows)
        if _admitted(row, policy.include_invalid)
        and row.adherence_score is not None
        and reaches(row.adherence_score, floor)
        and (lane is Lane.CI or _fast_enough(row, policy))
    ]


def does_nothing(baseline: RowMetrics) -> bool:
    """Tell whether a baseline's adherence is so low that keeping a share of it means nothing."""
    return not reaches(baseline.adherence_score or 0.0, LEAST_BASELINE_ADHERENCE)


def minimum_viable(eligible: Sequence[RowMetrics]) -> RowMetrics | None:
    """Return the eligible row with the fewest bits per weight."""
    return eligible[-1] if eligible else None


def best_value(eligible: Sequence[RowMetrics], lane: Lane) -> RowMetrics | None:
    """Return the eligible row with the most adherence per second of latency; None in lane ci.

    Ties go to the higher adherence, then the lower latency, then more bits.
    """
    if lane is Lane.CI:
        return None

    def merit(row: RowMetrics) -> tuple[float, float, float, float]:
        adherence, latency = row.adherence_score or 0.0, row.total_latency or 0.0
        value = adherence / latency if latency > 0 else float("inf")
        return value, adherence, -latency, row.quant_rank or 0.0

    return max(eligible, key=merit, default=None)


def pareto_rows(rows: Iterable[RowMetrics], include_invalid: bool, lane: Lane) -> list[RowMetrics]:
    """Return the admitted rows that no other one beats in adherence, decode rate and memory.

    In lane ci the decode rate does not count.
    """
    points = [
        (row, point)
        for row in by_bits(rows)
        if _admitted(row, include_invalid) and (point := _merits(row, lane)) is not None
    ]
    kept = undominated([point for _, point in points])
    return [row for (row, _), keep in zip(points, kept, strict=True) if keep]


def memory_mib(seen: RowMetrics | ContextSeen) -> float | Null:
    """Return VRAM + RSS of the server's process tree; a run without a GPU has only RSS."""
    rss, vram = seen.reading("peak_memory_rss"), seen.reading("peak_vram_mib")
    return rss if vram == _NO_VRAM else apply(add, rss, vram)


def vibe_delta(row: RowMetrics, baseline: RowMetrics | None) -> float | Null:
    """Return the adherence lost per GiB saved against the baseline; 0 for the baseline itself."""
    if baseline is None:
        return Null("NO_VALID_BASELINE")
    if row.quant_tag == baseline.quant_tag:
        return 0.0
    if row.adherence_score is None or baseline.adherence_score is None:
        measured = row.status is RunStatus.MEASURED
        return Null("NO_EXPECTED_ANSWER" if measured else "NOT_MEASURED")
    ours, theirs = memory_mib(row), memory_mib(baseline)
    if isinstance(ours, Null) or isinstance(theirs, Null):
        return Null("MEMORY_UNKNOWN")
    saved_gib = (theirs - ours) / MIB_PER_GIB
    if saved_gib <= 0:
        return Null("NO_MEMORY_SAVED")
    return max(0.0, baseline.adherence_score - row.adherence_score) / saved_gib


def _admitted(row: RowMetrics, include_invalid: bool) -> bool:
    return row.adherence_score is not None and (row.valid or include_invalid)


def _fast_enough(row: RowMetrics, policy: FrontierPolicy) -> bool:
    return row.total_latency is not None and not exceeds(row.total_latency, policy.latency_ceiling)


def _merits(row: RowMetrics, lane: Lane) -> tuple[float, ...] | None:
    """Return the figures a row is compared by, larger is better; None if one is missing."""
    memory = memory_mib(row)
    if row.adherence_score is None or isinstance(memory, Null):
        return None
    if lane is Lane.CI:
        return row.adherence_score, -memory
    rate = row.generation_tokens_per_second
    return None if rate is None else (row.adherence_score, rate, -memory)


def explorer_sessions(summary: Summary) -> tuple[FrontierSession, ...]:
    """Return each model's frontier for the explorer artifact; `""` means no quant."""
    return tuple(_session(session, summary.execution_lane) for session in summary.sessions)


def served_in_row(row: RowMetrics) -> MeasuredWith | None:
    """Return the model file and build of a row; None for a cell that was not measured."""
    if row.status is not RunStatus.MEASURED:
        return None
    return MeasuredWith(
        sha256=row.artifact.sha256,
        digest=row.artifact.digest,
        build=row.artifact.build,
        platform=row.platform,
    )


def _session(session: ModelSession, lane: Lane) -> FrontierSession:
    frontier = session.efficiency_frontier
    decision, measured_further = session.decision, None
    if decision is not None:
        too_easy = decision.status is DecisionStatus.TASKS_TOO_EASY
        measured_further = (session.baseline_quant if too_easy else decision.pick) or ""
    # Old summaries of lane ci have one.
    best_value = None if lane is Lane.CI else frontier.best_value_quant_tag
    return FrontierSession(
        model_id=session.model_id,
        baseline_quant=session.baseline_quant or "",
        minimum_viable_quant=frontier.minimum_viable_quant_tag or "",
        best_value_quant=best_value or "",
        measured_further=measured_further,
        recommendation=session.recommendation,
        quant_rows=[
            FrontierRow.of(
                quant_tag=row.quant_tag,
                valid=row.valid,
                served=served_in_row(row),
                **{name: row.reading(name) for name in FrontierRow.readings()},
            )
            for row in session.per_quant
        ],
    )
