"""Grades sealed answers with the tasks as they are now.

Nothing is measured here: after a change of a grader, an expected value or a category, grading again
needs no model.
"""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.views.run_report import AnswerTelemetry, Check, RunTelemetry, TestRun
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import NO_SANDBOX, NotRun, judge
from orket_lib.tasks.task import is_graded
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome
from orket_lib.vocabulary.thresholds import reaches

# What a graded run takes from its sealed answer unchanged.
_KEPT = (
    *("run_index", "session", "started_at", "window_s", "fault"),
    *("answer", "answer_sha256", "finish_reason", "reasoning", "runner"),
)
_NOT_GRADED = Null("NO_EXPECTED_ANSWER")
_TRIES = 3  # to grade an answer in a sandbox that fails


@dataclass(frozen=True)
class _Graded:
    """The outcome and the score of an answer."""

    outcome: Outcome
    score: float | Null = 0.0
    checks: tuple[Check, ...] = ()
    unparseable: bool = False
    form_kept: bool | None = None
    leaked_token: str | None = None


def grade_answer(answer: Answer, task: Task, sandbox: Sandbox | None) -> TestRun:
    """Grade an answer.

    Args:
        answer: Of a sealed part.
        task: Its task, as it is now.
        sandbox: Where its code is run; None if no task needs one.

    Raises:
        NotRun: It could not be graded in several tries.
    """
    graded = _graded(answer, task, sandbox)
    measured = answer.telemetry
    fields = {name: getattr(measured, name) for name in AnswerTelemetry.model_fields}
    readings = {name: measured.reading(name) for name in AnswerTelemetry.readings()}
    telemetry = RunTelemetry.of(
        **fields | readings,
        adherence_score=graded.score,
        score_source="graders" if answer.own_score is None else "runner",
    )
    return TestRun(
        test_id=task.test_id,
        task_id=task.id,
        family=task.family,
        tier=task.tier,
        outcome=graded.outcome,
        outcome_detail=answer.failed_detail,
        checks=graded.checks,
        unparseable=graded.unparseable,
        form_kept=graded.form_kept,
        leaked_token=graded.leaked_token,
        telemetry=telemetry,
        **{name: getattr(answer, name) for name in _KEPT},
    )


def _graded(answer: Answer, task: Task, sandbox: Sandbox | None) -> _Graded:
    """Grade a text ourselves, whatever score the runner claims; without a text, use that score.

    A task without an expected answer has no score, even if a runner reports one.
    """
    if not is_graded(task):
        leaked = None if answer.answer is None else judge(task, answer.answer).leaked_token
        return _Graded(answer.failed or Outcome.ANSWERED, _NOT_GRADED, leaked_token=leaked)
    if answer.failed:
        return _Graded(answer.failed)
    if answer.answer is None:
        assert answer.own_score is not None
        outcome = Outcome.PASS if reaches(answer.own_score, 1.0) else Outcome.FAIL
        return _Graded(outcome, answer.own_score)
    for _ in range(_TRIES):
        grading = judge(task, answer.answer, sandbox or NO_SANDBOX, answer.tool_calls)
        if grading.not_run is None:
            break
    if grading.adherence is None:
        raise NotRun(f"{task.test_id}: not run: {grading.not_run}")
    outcome = Outcome.PASS if grading.passed else Outcome.FAIL
    return _Graded(
        outcome,
        grading.adherence,
        grading.checks,
        grading.unparseable,
        grading.form_kept,
        grading.leaked_token,
    )
