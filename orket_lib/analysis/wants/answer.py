"""What meets all wants, what nearly does, and which want alone would have to give how much.

The decision is made before contexts are measured. This answer is made after that, from the rows and
verdicts of the summary and the context sweeps, so other wants need no new measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.context.wanted import check_context
from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.verdict.wants import TIMES, WANTS, Wants, check_wants, wants_of
from orket_lib.analysis.wants.sentences import IN_CI, sentences
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextPoint
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.artifacts.views.verdict import (
    Relaxation,
    Verdict,
    WantCheck,
    WantedQuant,
    WantsAnswer,
)
from orket_lib.vocabulary.statuses import Lane, QuantVerdict, RunStatus, WantName, WantStatus

_QUALITY = {
    QuantVerdict.KEPT: WantStatus.MET,
    QuantVerdict.LOST: WantStatus.NOT_MET,
    QuantVerdict.UNDECIDED: WantStatus.BORDERLINE,
    QuantVerdict.NOT_MEASURED: WantStatus.NOT_ESTABLISHED,
}


@dataclass(frozen=True)
class Candidate:
    """A quant or variant of a model.

    Attributes:
        row: Its figures.
        verdict: On it; None in summaries of older versions.
        contexts: The context sweep at it; None without one.
    """

    row: RowMetrics
    verdict: Verdict | None
    contexts: ContextCeiling | None = None


def answers(
    summary: Summary,
    contexts: Sequence[ContextCeiling],
    wants: Mapping[WantName, float] | None = None,
) -> list[WantsAnswer]:
    """Return the answer for each model; none if nothing is wanted.

    Args:
        summary: What the sweep found.
        contexts: Its context sweeps.
        wants: In place of those of its config.
    """
    limits = wants_of_config(summary) if wants is None else wants
    if not limits:
        return []
    found = {(it.model_id, it.quant_tag): it for it in contexts}
    return [_of_session(it, limits, summary.execution_lane, found) for it in summary.sessions]


def wants_of_config(summary: Summary) -> dict[WantName, float]:
    """Return the limits that a sweep's config wants."""
    asked = summary.matrix.get("wants") or {}
    return {name: float(asked[name]) for name in WantName if asked.get(name, 0) > 0}


def answer(
    model_id: str, candidates: Sequence[Candidate], wants: Wants, lane: Lane, threshold: float
) -> WantsAnswer:
    """Return the answer for a model.

    Args:
        model_id: The model.
        candidates: Its quants and variants, most bits first.
        wants: Limits by name.
        lane: In lane ci no speed is known.
        threshold: Share of the baseline's adherence that a quant must keep.
    """
    quants = tuple(_wanted(it, wants, lane) for it in candidates)
    meets = tuple(it.quant_tag for it in quants if it.meets_all)
    open_ = (it for it in quants if it.checks and not it.meets_all)
    nearly = sorted((it for it in open_ if it.quality is not WantStatus.NOT_MET), key=_distance)
    found = WantsAnswer(
        model_id=model_id,
        wants=dict(wants),
        quants=quants,
        meets=meets,
        nearly=tuple(it.quant_tag for it in nearly),
        relaxations=() if meets else tuple(_relaxations(candidates, wants, lane)),
        sentences=(),
    )
    return found.model_copy(update={"sentences": sentences(found, threshold)})


def _of_session(
    session: ModelSession,
    wants: Wants,
    lane: Lane,
    contexts: Mapping[tuple[str, str], ContextCeiling],
) -> WantsAnswer:
    frontier = session.efficiency_frontier
    limits = FrontierPolicy(
        frontier.adherence_threshold,
        frontier.latency_ceiling,
        frontier.include_invalid,
        wants=wants,
    )
    verdicts = {it.quant_tag: it for it in session.verdicts}
    return answer(
        session.model_id,
        [
            Candidate(
                row, verdicts.get(row.quant_tag), contexts.get((session.model_id, row.quant_tag))
            )
            for row in session.per_quant
        ],
        # The ceiling of the latency is no want of its own in lane ci; one that was typed is.
        {**wants_of(limits, lane), **wants},
        lane,
        frontier.adherence_threshold,
    )


def checks_of(candidate: Candidate, wants: Wants, lane: Lane) -> tuple[WantCheck, ...]:
    """Return whether a quant meets each want; nothing for one that was not measured.

    What is wanted of memory is wanted at the context that is wanted: what was measured there
    counts if it is more.
    """
    row, contexts = candidate.row, candidate.contexts
    if row.status is not RunStatus.MEASURED:
        return ()
    context = wants.get(WantName.CONTEXT)
    swept = contexts if context else None
    point = _smallest_passing(swept.points, context or 0) if swept else None
    checks = check_wants(row, wants, point.seen if point else None)
    return tuple(
        check_context(int(it.limit), swept.points, swept.thresholds)
        if swept and it.want is WantName.CONTEXT
        else _unknown(it, IN_CI)
        if lane is Lane.CI and it.want in TIMES
        else it
        for it in checks
    )


def _wanted(candidate: Candidate, wants: Wants, lane: Lane) -> WantedQuant:
    verdict = candidate.verdict
    quality = _QUALITY[verdict.verdict] if verdict else WantStatus.NOT_ESTABLISHED
    baseline = verdict is not None and verdict.reason == "BASELINE"
    probability = verdict.probability if verdict else None
    because = (verdict.reason if verdict else "NO_VERDICT") if not baseline else None
    if quality is WantStatus.BORDERLINE and probability is None:
        quality = WantStatus.NOT_ESTABLISHED  # the tasks don't judge it
    checks = checks_of(candidate, wants, lane)
    return WantedQuant(
        quant_tag=candidate.row.quant_tag,
        quality=quality,
        probability=probability,
        because=because,
        meets_all=_all_met(candidate, wants, lane),
        checks=checks,
        missed_by={
            it.want: by
            for it in checks
            if it.status is WantStatus.NOT_MET
            and (by := _missed_by(it, candidate, wants, lane)) is not None
        },
    )


def _all_met(candidate: Candidate, wants: Wants, lane: Lane) -> bool:
    """Tell whether a quant is known to keep the threshold and to meet each want."""
    checks = checks_of(candidate, wants, lane)
    kept = candidate.verdict is not None and candidate.verdict.verdict is QuantVerdict.KEPT
    return kept and bool(checks) and all(it.status is WantStatus.MET for it in checks)


def _relaxations(candidates: Sequence[Candidate], wants: Wants, lane: Lane) -> Iterator[Relaxation]:
    """Yield each want of which one alone may give, with the least that it has to give."""
    for name, limit in wants.items():
        found = [
            first for it in candidates if (first := _first_met(it, name, wants, lane)) is not None
        ]
        if not found:
            continue
        relaxed = max(found) if WANTS[name].at_least else min(found)
        then = {**wants, name: relaxed}
        quants = tuple(it.row.quant_tag for it in candidates if _all_met(it, then, lane))
        yield Relaxation(want=name, limit=limit, relaxed=relaxed, quants=quants)


def _first_met(candidate: Candidate, name: WantName, wants: Wants, lane: Lane) -> float | None:
    """Return the limit of one want, nearest to the wanted one, with which a quant meets all."""
    limits = _limits(candidate, name, wants, lane)
    return next((it for it in limits if _all_met(candidate, {**wants, name: it}, lane)), None)


def _limits(candidate: Candidate, name: WantName, wants: Wants, lane: Lane) -> Iterator[float]:
    """Yield the looser limits that might be met, the nearest to the wanted one first."""
    at_least, limit = WANTS[name].at_least, wants[name]
    if name is WantName.CONTEXT:
        points = candidate.contexts.points if candidate.contexts else ()
        tried = sorted((float(it.context) for it in points), reverse=True)
    else:
        # Of a figure, only the end of its interval counts: the next tighter limit is within noise.
        values = (it.value for it in checks_of(candidate, wants, lane) if it.want is name)
        known = [value for value in values if value is not None]
        ends = candidate.row.intervals.get(WANTS[name].interval, ())
        tried = [(min if at_least else max)([*known, *ends])] if known else []
    yield from (it for it in tried if (it < limit if at_least else it > limit))


def _missed_by(check: WantCheck, candidate: Candidate, wants: Wants, lane: Lane) -> float | None:
    if check.want is not WantName.CONTEXT:
        return None if check.value is None else abs(check.value - check.limit) / check.limit
    for limit in _limits(candidate, WantName.CONTEXT, wants, lane):
        assert candidate.contexts is not None
        found = check_context(int(limit), candidate.contexts.points, candidate.contexts.thresholds)
        if found.status is WantStatus.MET:
            return (check.limit - limit) / check.limit
    return None


def _smallest_passing(points: Sequence[ContextPoint], context: float) -> ContextPoint | None:
    return next((it for it in points if it.context >= context and it.passed), None)


def _unknown(check: WantCheck, because: str) -> WantCheck:
    return check.model_copy(update={"status": WantStatus.NOT_ESTABLISHED, "because": because})


def _distance(quant: WantedQuant) -> tuple[int, int, float]:
    """Return how far a quant is from meeting all: wants not met, open ones, the worst miss."""
    states = [quant.quality, *(it.status for it in quant.checks)]
    missed = states.count(WantStatus.NOT_MET)
    return (
        missed,
        len(states) - states.count(WantStatus.MET),
        max(quant.missed_by.values(), default=0),
    )
