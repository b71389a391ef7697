"""The first screen of a model: what to run, how sure that is, what it costs, what to distrust."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.verdict.sentences import chance, lost_tasks
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import ModelSession, Summary, SummaryRow
from orket_lib.artifacts.views.verdict import Decision, Verdict
from orket_lib.report.formatting import DASH, figure, ratio, size
from orket_lib.report.sections.conditions import drift_sentence, unused_features
from orket_lib.report.serving import measured_on, serving_lines
from orket_lib.vocabulary.null_reasons import meaning_of
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import DecisionStatus, Lane
from orket_lib.vocabulary.units import MIB

_HEADLINES = {
    DecisionStatus.PROVED: "run {}",
    DecisionStatus.PROVED_QUALITY: "run {}",
    DecisionStatus.LIKELY: "probably {}",
    DecisionStatus.ONE_QUANT: "only {} was measured",
}
_ADHERENCE = "adherence_score"


class Fact(NamedTuple):
    """A figure on the first screen: what it is, its value, and what to know about it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Card:
    """The first screen of a model.

    Attributes:
        headline: The pick in a few words.
        quant: The pick; None without one.
        sure: How sure it is, in a few words.
        facts: Its figures.
        sentence: The decision in words.
        next_step: What to do for more certainty; None if nothing is open.
        file: What is served: path, or name on the server; None without a pick.
        sha256: Of that file, or the server's digest; None if unknown.
        run: The line that serves it; None if it is not known.
        distrust: What makes the result worth less.
    """

    headline: str
    quant: str | None
    sure: str
    facts: tuple[Fact, ...]
    sentence: str
    next_step: str | None
    file: str | None
    sha256: str | None
    run: str | None
    distrust: tuple[str, ...]


def card_of(session: ModelSession, summary: Summary, context: ContextCeiling | None) -> Card:
    """Return the first screen of a model.

    Args:
        session: The model.
        summary: The sweep that it is from.
        context: Its context sweep, if there is one.
    """
    decision = session.decision
    chosen = decision.pick if decision else session.recommendation_detail.minimum_viable_quant
    row = next((it for it in session.per_quant if it.quant_tag == chosen), None)
    status = decision.status if decision else DecisionStatus.PROVED
    headline = _HEADLINES.get(status, "{}").format(chosen) if chosen else "no recommendation"
    return Card(
        headline=headline,
        quant=chosen,
        sure=_sure(decision),
        facts=tuple(_facts(row, session, summary, context)) if row else (),
        sentence=decision.why if decision else session.recommendation,
        next_step=decision.next if decision else None,
        file=row.artifact.path or row.artifact.tag if row else None,
        sha256=row.artifact.sha256 or row.artifact.digest if row else None,
        run="\n".join(
            serving_lines(session, summary.settings_of(session.model_id), filter(None, [context]))
        )
        or None,
        distrust=tuple(filter(None, _distrust(row, session, summary))),
    )


def _sure(decision: Decision | None) -> str:
    if decision is None:
        return DASH
    if decision.probability is None:
        return decision.status.value.replace("_", " ").lower()
    return f"P {chance(decision.probability)}"


def _facts(
    row: SummaryRow, session: ModelSession, summary: Summary, context: ContextCeiling | None
) -> Iterator[Fact]:
    decision = session.decision
    verdict = next((it for it in session.verdicts if it.quant_tag == row.quant_tag), None)
    yield _quality(row, session, verdict)
    if decision:
        again = (
            "" if decision.stability is None else f"{decision.stability:.0%} of new sweeps agree"
        )
        yield Fact("how sure", _sure(decision), again or "see the verdicts")
    yield _context(context, summary)
    yield _smaller(session)
    yield _speed(row, summary.execution_lane)
    memory = memory_mib(row)
    of = f"peak, on {measured_on(session)}" if measured_on(session) else "peak"
    yield _reading("memory", memory, lambda mib: size(mib * MIB), of)
    yield _reading("file", row.artifact.reading("bytes"), size, _than_baseline(row, session))


def _quality(row: SummaryRow, session: ModelSession, verdict: Verdict | None) -> Fact:
    if verdict and verdict.kept_share is not None and row.quant_tag != session.baseline_quant:
        low, high = verdict.kept_low or 0.0, verdict.kept_high or 0.0
        return Fact(
            f"of what {session.baseline_quant} can do is kept",
            f"{verdict.kept_share:.1%}",
            f"95 % interval {low:.1%} to {high:.1%}; {lost_tasks(verdict)} of {verdict.tasks} "
            f"tasks lost, {verdict.won:g} won",
        )
    tasks = f"over {row.tasks} tasks" if row.tasks else ""
    return _reading("adherence", row.reading(_ADHERENCE), ratio, tasks)


def _context(found: ContextCeiling | None, summary: Summary) -> Fact:
    if found is None:
        asked = summary.matrix.get("n_ctx")
        note = f"not swept; measured at {asked}" if asked else "not swept"
        return Fact("usable context", DASH, note)
    most = max((point.context for point in found.points), default=0)
    passing = found.reading("safe_context_ceiling")
    return _reading("usable context", passing, "{:.0f} tokens".format, f"tried up to {most}")


def _smaller(session: ModelSession) -> Fact:
    decision, name = session.decision, "one size smaller"
    if decision is None or not decision.smaller:
        return Fact(name, "none", "there is no smaller quant in this sweep")
    tag = decision.smaller[0]
    found = next((it for it in session.verdicts if it.quant_tag == tag), None)
    if found is None or found.probability is None:
        return Fact(name, tag, f"not judged: {found.reason if found else 'not measured'}")
    words = f"{found.verdict.value.lower()}, P {chance(found.probability)}"
    return Fact(
        f"{name}: {tag}",
        f"{found.lost:g} of {found.tasks} tasks lost",
        f"{found.won:g} won; {words}",
    )


def _speed(row: SummaryRow, lane: Lane) -> Fact:
    rate, ttft = row.reading("generation_tokens_per_second"), row.reading("ttft_ms")
    note = (
        "no time to the first token" if isinstance(ttft, Null) else f"first token {figure(ttft)} ms"
    )
    interval = row.intervals.get("generation_tokens_per_second")
    if interval:
        note = f"{figure(interval[0])} to {figure(interval[1])}; {note}"
    evidence = "; no evidence in lane ci" if lane is Lane.CI else ""
    return _reading("decode", rate, lambda value: f"{figure(value)} t/s", f"{note}{evidence}")


def _than_baseline(row: SummaryRow, session: ModelSession) -> str:
    base = next((it for it in session.per_quant if it.quant_tag == session.baseline_quant), None)
    if base is None or base is row or not base.artifact.bytes or not row.artifact.bytes:
        return row.quant_tag
    return f"{base.artifact.bytes / row.artifact.bytes:.1f} times smaller than {base.quant_tag}"


def _reading(name: str, value: float | Null, form: Callable[[float], str], note: str) -> Fact:
    if isinstance(value, Null):
        return Fact(name, DASH, meaning_of(value.reason) or value.reason)
    return Fact(name, form(value), note)


def _distrust(row: SummaryRow | None, session: ModelSession, summary: Summary) -> Iterator[str]:
    canary = summary.canary
    if not canary.enabled:
        yield "The machine was not checked before the sweep (no canary)."
    elif not canary.passed:
        yield f"The canary failed: {'; '.join(canary.explanations or canary.failed_reasons)}."
    for item in canary.drifts:
        if item.same_answers is False or item.failure:
            yield drift_sentence(item)
    if row and not row.valid:
        yield f"{row.quant_tag} is not valid: {'; '.join(row.invalid_because)}."
    elif row and row.speed_spoiled_by:
        yield f"The speeds of {row.quant_tag} don't count: {'; '.join(row.speed_spoiled_by)}."
    if session.decision:  # the recommendation is the decision, and after it what to know about it
        yield session.recommendation.removeprefix(session.decision.why).strip()
    if unused := unused_features([session]):
        yield f"CPU features: {unused}"
