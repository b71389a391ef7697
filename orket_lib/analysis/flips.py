"""Tasks that quants lost or won against the baseline: what breaks, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orket_lib.analysis.rows.aggregates import graded
from orket_lib.artifacts.printed.flips import FlippedTask, ModelFlips, QuantAnswer
from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.statuses import Outcome


class AskedTask(NamedTuple):
    """A task as it was sent, with its right answer; None where the graders don't name one."""

    prompt: str
    right_answer: str | None


Runs = Mapping[str, Sequence[TestRun]]  # of each task, by its id


def flips_of_model(
    session: ModelSession,
    runs: Mapping[str, Sequence[TestRun]],
    asked: Mapping[str, AskedTask],
) -> ModelFlips:
    """Return the flipped tasks; their numbers are those of the session's comparisons.

    Args:
        session: The model.
        runs: Graded runs by quant; a quant without any is not compared.
        asked: Tasks by id, as far as they are known.
    """
    baseline = session.baseline_quant or ""
    compared = [
        item.quant_tag
        for item in session.comparisons
        if item.quant_tag in runs and baseline in runs
    ]
    by_quant = {quant: _by_task(runs[quant]) for quant in [baseline, *compared] if compared}
    tasks = [
        _flipped(group, {quant: of[test_id] for quant, of in by_quant.items() if test_id in of})
        for test_id, group in by_quant.get(baseline, {}).items()
    ]
    found = [
        task.model_copy(
            update=asked[task.test_id]._asdict() if task.test_id in asked else {},
        )
        for task in tasks
        if task.lost or task.won
    ]
    order = {quant: place for place, quant in enumerate(compared)}
    return ModelFlips(
        model_id=session.model_id,
        baseline_quant=session.baseline_quant,
        quants=compared,
        tasks=sorted(
            found, key=lambda it: min((order[quant] for quant in it.lost), default=len(order))
        ),
    )


def _by_task(runs: Sequence[TestRun]) -> Runs:
    groups: dict[str, list[TestRun]] = defaultdict(list)
    for run in graded(runs):
        groups[run.test_id].append(run)
    return groups


def _flipped(first: Sequence[TestRun], by_quant: Runs) -> FlippedTask:
    """Return a task with the answers of all quants, of which the first is the baseline."""
    answers = [_answer(quant, group) for quant, group in by_quant.items()]
    known, others = answers[0], answers[1:]
    return FlippedTask(
        test_id=first[0].test_id,
        family=first[0].family,
        level=first[0].tier,
        prompt=None,
        right_answer=None,
        lost=[it.quant_tag for it in others if known.right and not it.right],
        won=[it.quant_tag for it in others if it.right and not known.right],
        answers=answers,
    )


def _answer(quant: str, runs: Sequence[TestRun]) -> QuantAnswer:
    failed = next((run for run in runs if run.outcome is not Outcome.PASS), None)
    shown = failed or runs[0]
    return QuantAnswer(
        quant_tag=quant,
        right=failed is None,
        answer=shown.answer,
        detail=shown.outcome_detail,
        checks=shown.checks,
    )
