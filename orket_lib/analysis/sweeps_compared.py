"""Two sweeps compared: machine, settings, builds, files, verdicts, and numbers beyond noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orket_lib.analysis.frontier import explorer_sessions
from orket_lib.analysis.history.compare import StoredArtifact, compare
from orket_lib.analysis.ranking.difference import behind
from orket_lib.analysis.verdict.pairs import paired
from orket_lib.artifacts.history import Change
from orket_lib.artifacts.printed.comparison import SweepComparison
from orket_lib.artifacts.views.frontier import UNKNOWN, FrontierExplorer
from orket_lib.artifacts.views.row import TaskScore
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import REGRESSION_FLOOR

_TIMES = ("total_latency", "generation_tokens_per_second")
_SCORE = "adherence_score"


@dataclass(frozen=True)
class ComparedSweep:
    """A sweep to compare.

    Attributes:
        name: As it is to be named.
        summary: Its summary.
        scores: The scores of its rows by `MODEL QUANT`, as far as they are there.
    """

    name: str
    summary: Summary
    scores: Mapping[str, tuple[TaskScore, ...]]


def compare_sweeps(a: ComparedSweep, b: ComparedSweep) -> SweepComparison:
    """Return what differs from A to B.

    Adherence differs beyond noise if the 95 % interval of the paired difference, over the tasks
    that both were asked, excludes 0; a time or rate if its two intervals don't overlap; anything
    without an interval if it differs by more than 2 %.
    """
    stored = [_stored(sweep) for sweep in (a, b)]
    found = compare(*stored)
    rows = [_rows(sweep.summary) for sweep in (a, b)]
    ci = Lane.CI in (a.summary.execution_lane, b.summary.execution_lane)
    changes, within = [], 0
    for change in found.changes:
        if change.kind != "numbers":
            # What was configured is compared key by key, and a verdict is the decision's.
            if change.kind != "verdict" and change.what != "config":
                changes.append(change)
            continue
        if ci and change.what in _TIMES:
            continue
        beyond = [
            where
            for where in change.where
            if _beyond(change, rows[0][where], rows[1][where], _paired(a, b, where))
        ]
        within += len(change.where) - len(beyond)
        if beyond:
            changes.append(change.model_copy(update={"where": tuple(beyond)}))
    return SweepComparison(
        a=a.name,
        b=b.name,
        changes=[*changes, *_settings(a.summary, b.summary), *_verdicts(a.summary, b.summary)],
        within_noise=within,
        notes=[*found.notes, *(["times are not compared: lane ci"] if ci else [])],
    )


def _stored(sweep: ComparedSweep) -> StoredArtifact:
    summary = sweep.summary
    labels = {name: getattr(summary, name) for name in ("generated_at", "provenance")}
    artifact = FrontierExplorer(
        **labels,
        execution_lane=summary.execution_lane,
        vram_profile=summary.vram_profile,
        hardware_fingerprint=summary.hardware_fingerprint,
        model_id=UNKNOWN,
        quant_tag=UNKNOWN,
        include_invalid=any(it.efficiency_frontier.include_invalid for it in summary.sessions),
        sessions=explorer_sessions(summary),
    )
    return StoredArtifact(sweep.name, "frontiers", artifact)


def _rows(summary: Summary) -> dict[str, SummaryRow]:
    rows = (row for session in summary.sessions for row in session.per_quant)
    return {f"{row.model_id} {row.quant_tag}": row for row in rows}


def _paired(a: ComparedSweep, b: ComparedSweep, where: str) -> bool | None:
    """Return whether the scores of a row differ beyond noise; None if no task is known of both."""
    one, other = (
        {
            it.test_id: it.adherence_score
            for it in sweep.scores.get(where, ())
            if it.adherence_score is not None
        }
        for sweep in (a, b)
    )
    common = one.keys() & other.keys()
    if not common:
        return None
    distance = behind(paired(one, other, sorted(common)))
    return distance.low > 0 or distance.high < 0


def _beyond(change: Change, old: SummaryRow, new: SummaryRow, scores: bool | None) -> bool:
    if change.what == _SCORE and scores is not None:
        return scores
    ends = [row.intervals.get(change.what) for row in (old, new)]
    if ends[0] and ends[1]:
        return ends[0][0] > ends[1][1] or ends[1][0] > ends[0][1]
    before, after = change.old, change.new
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return True  # one of them is null
    return abs(after - before) > REGRESSION_FLOOR * max(abs(before), abs(after))


def _settings(a: Summary, b: Summary) -> Iterator[Change]:
    for key in dict.fromkeys([*a.matrix, *b.matrix]):
        old, new = (_plain(summary.matrix.get(key)) for summary in (a, b))
        if old != new and key != "sweep":
            yield Change(kind="settings", what=key, old=old, new=new, where=())


def _verdicts(a: Summary, b: Summary) -> Iterator[Change]:
    before, after = dict(_claims(a)), dict(_claims(b))
    for where, what in dict.fromkeys([*before, *after]):
        old, new = before.get((where, what)), after.get((where, what))
        if old != new:
            yield Change(kind="verdict", what=what, old=old, new=new, where=(where,))


def _claims(summary: Summary) -> Iterator[tuple[tuple[str, str], str | None]]:
    for session in summary.sessions:
        name, decision = session.model_id, session.decision
        yield (name, "pick"), decision.pick if decision else None
        yield (name, "status"), decision.status.value if decision else None
        yield (name, "baseline"), session.baseline_quant
        for item in session.verdicts:
            yield (f"{name} {item.quant_tag}", "verdict"), item.verdict.value


def _plain(value: object) -> str | bool | int | float | None:
    return value if isinstance(value, str | bool | int | float | None) else str(value)
