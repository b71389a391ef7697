"""From a model's rows after a batch of tasks to the look at it, with what its budget allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orket_lib.analysis.active_time import active_seconds, pace_of
from orket_lib.analysis.frontier import FrontierPolicy, by_bits
from orket_lib.analysis.verdict.looks import LookPolicy, certain_at, look
from orket_lib.analysis.verdict.of_rows import Scores, judged_tasks, quant_scores
from orket_lib.analysis.verdict.wants import check_wants, wants_of
from orket_lib.artifacts.views.look import LookedQuant, LookSettings
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.statuses import WantStatus
from orket_lib.vocabulary.units import duration

Reports = Mapping[str, Sequence[RunReport]]  # of the batches so far, by quant


def looked_quants(
    rows: Sequence[RowMetrics],
    scores: Scores,
    reports: Reports,
    settings: LookSettings,
    batch: int,
    since: str | None,
) -> tuple[LookedQuant, ...]:
    """Return each quant after a batch, most bits first, and why it is asked no further.

    Args:
        rows: Rows over the batches so far.
        scores: The task scores of each quant.
        reports: The run reports that the rows are made of.
        settings: Limits and the plan of the batches.
        batch: Number of the batch; 0 for the first batch of the baseline alone.
        since: Start of the sweep; needed for a budget.
    """
    ordered = by_bits(rows)
    limits = FrontierPolicy(
        settings.adherence_threshold,
        settings.latency_ceiling,
        settings.include_invalid,
        settings.prefer,
        settings.wants,
    )
    wants = wants_of(limits, settings.execution_lane)
    measured = [row for row in ordered if row.adherence_score is not None]
    misses = [
        row.quant_tag
        for row in measured
        if any(item.status is WantStatus.NOT_MET for item in check_wants(row, wants))
    ]

    def beyond(quants: Collection[str]) -> str | None:
        asked = {quant: reports[quant] for quant in quants}
        return _beyond_budget(asked, spent_seconds(reports, since), settings, batch)

    policy = LookPolicy(
        threshold=settings.adherence_threshold,
        prefer=settings.prefer,
        tasks=settings.ends[-1],
        certain=certain_at(batch, len(settings.ends)),
        beyond_budget=beyond,
    )
    return look(
        quant_scores(ordered, scores, settings.include_invalid),
        judged_tasks(scores.values()),
        misses,
        policy,
    )


def spent_seconds(reports: Reports, since: str | None) -> float:
    """Return how long a sweep has measured a model since its start."""
    return active_seconds((report for own in reports.values() for report in own), since)


def _beyond_budget(asked: Reports, spent: float, settings: LookSettings, batch: int) -> str | None:
    """Return why the next batch does not fit into what is left; None if it does.

    Args:
        asked: The reports of the quants that it would ask.
        spent: Seconds that were spent on the model.
        settings: Budget and batches.
        batch: Number of the last batch.
    """
    budget = settings.budget_seconds
    if budget is None or not 0 < batch < len(settings.ends):
        return None
    tasks = settings.ends[batch] - settings.ends[batch - 1]
    paces = [pace for own in asked.values() if (pace := pace_of(own))]
    needed = sum(pace.seconds(tasks * settings.runs_per_task) for pace in paces)
    if spent + needed <= budget:
        return None
    left = max(0.0, budget - spent)
    return (
        f"the next {tasks} tasks would take about {duration(needed)}, and {duration(left)} of "
        f"{duration(budget)} are left"
    )
