"""Contradictions inside a summary, as in a file that was edited or assembled by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import stability_kpis
from orket_lib.artifacts.views.summary import ModelSession, StabilityKpis, Summary
from orket_lib.vocabulary.quants import split_label
from orket_lib.vocabulary.statuses import RunStatus
from orket_lib.vocabulary.thresholds import TOLERANCE

_POLICY = ("adherence_threshold", "latency_ceiling", "include_invalid")


def contradictions(summary: Summary) -> list[str]:
    """Return a sentence for each contradiction, in the order of the file."""
    return [
        *_matrix(summary),
        *(found for session in summary.sessions for found in _session(session)),
        *_ranking(summary),
        *_failed_rows(summary),
        *_kpis(summary),
    ]


def _matrix(summary: Summary) -> Iterator[str]:
    """Yield rows that are not in the matrix, and cells of the matrix without a row."""
    sessions = Counter(session.model_id for session in summary.sessions)
    yield from (f"{model} has {n} sessions" for model, n in sessions.items() if n > 1)
    models, quants = summary.matrix.get("models"), summary.matrix.get("quants")
    if not models or not quants:
        return
    variants = summary.matrix.get("variants", {})
    cells = dict.fromkeys(
        (one.model_id, row.quant_tag) for one in summary.sessions for row in one.per_quant
    )
    known = set(models)
    for model in sessions:
        if model not in known:
            yield f"{model} has a session and is not among the matrix's models"
    asked = {
        (model, quant): None
        for model in models
        for own in [summary.settings_of(model).get("quants", quants)]
        for quant in quants
        if {quant, _plain(quant, variants)} & set(own)
    }
    for model, quant in cells:
        if model in known and (model, quant) not in asked:
            yield f"{model} {quant} has a row and is not among the matrix's quants"
    for model, quant in asked:
        if (model, quant) not in cells:
            yield f"{model} {quant} is in the matrix and has no row"


def _plain(quant: str, variants: Collection[str]) -> str:
    """Return the quant of a variant's cell, as a model lists it."""
    plain, label = split_label(quant)
    return plain if label in variants else quant


def _session(session: ModelSession) -> Iterator[str]:
    for row in session.per_quant:
        name = f"{session.model_id} {row.quant_tag}"
        if row.model_id != session.model_id:
            yield f"{name}: its row is one of {row.model_id}"
        if row.valid and row.status is not RunStatus.MEASURED:
            yield f"{name} is valid, and its status is {row.status.value}"
        if row.valid and row.invalid_because:
            yield f"{name} is valid, and is not because {'; '.join(row.invalid_because)}"
        if not row.valid and not row.invalid_because:
            yield f"{name} is not valid, and nothing says why"
    tags = Counter(row.quant_tag for row in session.per_quant)
    yield from (f"{session.model_id} {tag} has {n} rows" for tag, n in tags.items() if n > 1)
    for place, tag in _named(session):
        if tag is not None and tag not in tags:
            there = ", ".join(tags) or "none"
            yield f"{session.model_id}: {place} names {tag}, which has no row (there are {there})"
    yield from _picks(session)


def _named(session: ModelSession) -> Iterator[tuple[str, str | None]]:
    """Yield each place at which a session names a quant."""
    frontier, detail = session.efficiency_frontier, session.recommendation_detail
    for owner, where, fields in (
        (session, "", ("baseline_quant", "baseline_substituted_for")),
        (
            frontier,
            "efficiency_frontier.",
            ("minimum_viable_quant_tag", "best_value_quant_tag", "optimal_quant_tag"),
        ),
        (detail, "recommendation_detail.", ("minimum_viable_quant", "best_value_quant")),
    ):
        yield from ((f"{where}{field}", getattr(owner, field)) for field in fields)
    yield from (("efficiency_frontier.pareto_quants", tag) for tag in frontier.pareto_quants)
    yield from (("comparisons", item.quant_tag) for item in session.comparisons)
    yield from (("verdicts", item.quant_tag) for item in session.verdicts)
    if session.decision:
        yield "decision.pick", session.decision.pick


def _picks(session: ModelSession) -> Iterator[str]:
    """Yield impossible picks of a frontier, and picks that differ between two places."""
    frontier, detail = session.efficiency_frontier, session.recommendation_detail
    rows = {row.quant_tag: row for row in session.per_quant}
    for pick in ("minimum_viable_quant", "best_value_quant"):
        tag, stated = getattr(frontier, f"{pick}_tag"), getattr(detail, pick)
        place = f"{session.model_id}: efficiency_frontier.{pick}_tag"
        if tag != stated:
            yield f"{place} is {tag}, and recommendation_detail.{pick} is {stated}"
        row = rows.get(tag)
        if row and row.adherence_score is None:
            yield f"{place} names {tag}, which was not measured"
        elif row and not row.valid and not frontier.include_invalid:
            yield f"{place} names {tag}, whose row is not valid"
    for item in session.comparisons:
        if item.baseline_quant != session.baseline_quant:
            yield (
                f"{session.model_id}: {item.quant_tag} is compared with {item.baseline_quant}, and "
                f"the baseline is {session.baseline_quant}"
            )


def _ranking(summary: Summary) -> Iterator[str]:
    """Yield cells that the ranking names and that have no row, and rows that it leaves out."""
    if summary.ranking is None:
        return
    ranking = summary.ranking
    rows = {(row.model_id, row.quant_tag) for one in summary.sessions for row in one.per_quant}
    named = [(cell.model_id, cell.quant_tag) for cell in ranking.cells]
    named += [(cell.model_id, cell.quant_tag) for cell in ranking.unranked]
    for cell, times in Counter(named).items():
        if cell not in rows:
            yield f"ranking names {' '.join(cell)}, which has no row"
        elif times > 1:
            yield f"ranking names {' '.join(cell)} {times} times"
    yield from (f"ranking leaves out {' '.join(cell)}" for cell in sorted(rows - set(named)))


def _failed_rows(summary: Summary) -> Iterator[str]:
    stated = {(row.model_id, row.quant_tag): row.status for row in summary.failed_rows}
    rows = {
        (row.model_id, row.quant_tag): row.status.value
        for session in summary.sessions
        for row in session.per_quant
    }
    failed = {cell: status for cell, status in rows.items() if status != RunStatus.MEASURED.value}
    for cell in {**stated, **failed}:
        if stated.get(cell) != failed.get(cell):
            named, there = stated.get(cell, "missing"), rows.get(cell, "missing")
            yield f"{' '.join(cell)}: in failed_rows it is {named}, and its row is {there}"


def _kpis(summary: Summary) -> Iterator[str]:
    """Yield limits that differ between places, and KPIs that don't follow from the rows."""
    frontiers = [session.efficiency_frontier for session in summary.sessions]
    for name in _POLICY:
        values = [summary.matrix[name]] if name in summary.matrix else []
        values += [getattr(frontier, name) for frontier in frontiers]
        if any(value != values[0] for value in values):
            yield f"{name} is not the same in the matrix and in all sessions"
            return
    if not frontiers:
        policy = FrontierPolicy(adherence_threshold=1, latency_ceiling=1, include_invalid=False)
    else:
        policy = FrontierPolicy(**{name: getattr(frontiers[0], name) for name in _POLICY})
    rows = [session.per_quant for session in summary.sessions]
    stated = summary.stability_kpis
    policy = replace(policy, quality_only=stated.polluted_run_rate_as_asked is not None)
    expected = stability_kpis(rows, policy, summary.execution_lane)
    if stated.frontier_success_rate_as_asked is None:  # in no summary of an older version
        expected = expected.model_copy(update={"frontier_success_rate_as_asked": None})
    for name in StabilityKpis.model_fields:
        if name != "null_reasons" and not _same(getattr(stated, name), getattr(expected, name)):
            yield (
                f"stability_kpis.{name} is {_shown(stated, name)}, and the rows give "
                f"{_shown(expected, name)}"
            )


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE


def _shown(kpis: StabilityKpis, name: str) -> str:
    value, reason = getattr(kpis, name), kpis.null_reasons.get(name)
    if value is None:
        return f"null ({reason})" if reason else "null"
    return f"{value:.6g}"
