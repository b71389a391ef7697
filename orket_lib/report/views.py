"""A model's frontier as in the summary, or recomputed with or without invalid rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orket_lib.analysis.frontier import (
    FrontierPolicy,
    baseline_of,
    best_value,
    eligible_rows,
    minimum_viable,
)
from orket_lib.artifacts.views.scatter import FrontierRole
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.statuses import Lane


@dataclass(frozen=True)
class FrontierView:
    """The frontier of one model in a report.

    Attributes:
        baseline: Tag of the baseline quant; None without one.
        floor: Adherence that an eligible quant must reach; None without a baseline.
        roles: The role of every quant, by tag.
        recomputed: Whether the summary was computed with the other rule for invalid rows.
    """

    baseline: str | None
    floor: float | None
    roles: Mapping[str, FrontierRole]
    recomputed: bool


def frontier_view(
    session: ModelSession, lane: Lane, include_invalid: bool | None = None
) -> FrontierView:
    """Return a session's frontier.

    Args:
        session: The session of a model.
        lane: Lane of the summary; in lane ci no quant is the best value, even in old summaries.
        include_invalid: Let rows that are not valid take part; None means as in the summary. It
            changes this view only, never the recommendation.
    """
    frontier = session.efficiency_frontier
    recomputed = include_invalid is not None and include_invalid != frontier.include_invalid
    baseline = session.baseline_quant
    smallest = frontier.minimum_viable_quant_tag
    value = None if lane is Lane.CI else frontier.best_value_quant_tag
    if recomputed:
        policy = FrontierPolicy(
            frontier.adherence_threshold, frontier.latency_ceiling, not frontier.include_invalid
        )
        start = baseline_of(session.per_quant, policy.include_invalid)
        eligible = eligible_rows(session.per_quant, start, policy, lane) if start else []
        least, most = minimum_viable(eligible), best_value(eligible, lane)
        baseline = start.quant_tag if start else None
        smallest = least.quant_tag if least else None
        value = most.quant_tag if most else None
    scores = {row.quant_tag: row.adherence_score for row in session.per_quant}
    score = scores.get(baseline) if baseline else None
    return FrontierView(
        baseline=baseline,
        floor=None if score is None else score * frontier.adherence_threshold,
        roles={tag: _role(tag, smallest, value) for tag in scores},
        recomputed=recomputed,
    )


def role_text(view: FrontierView, tag: str) -> str:
    """Return the role of a quant on the frontier in words; `""` for most quants."""
    words = [role.replace("_", " ") for role in view.roles[tag].split("+") if role]
    return ", ".join((["baseline"] if tag == view.baseline else []) + words)


def _role(tag: str, smallest: str | None, value: str | None) -> FrontierRole:
    if tag == smallest:
        return "minimum_viable+best_value" if tag == value else "minimum_viable"
    return "best_value" if tag == value else ""
