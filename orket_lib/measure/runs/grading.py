"""What an answer is worth: graded from what a part sealed, with the tasks as they are now.

Nothing is measured here, so another grader, another expected value or another category of a task
costs a moment and no model.
"""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.views.run_report import Check, RunTelemetry, TestRun
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import NO_SANDBOX, NotRun, judge
from orket_lib.vocabulary.statuses import Outcome
from orket_lib.vocabulary.thresholds import reaches

_JUDGINGS = 3  # of one answer, before a sandbox that fails stops the grading


@dataclass(frozen=True)
class _Worth:
    """What an answer is worth."""

    outcome: Outcome
    score: float = 0.0
    checks: tuple[Check, ...] = ()
    unparseable: bool = False


def grade_answer(answer: Answer, task: Task, sandbox: Sandbox | None) -> TestRun:
    """Return an answer with what it is worth.

    Args:
        answer: Of a sealed part.
        task: That it answers, as it is now.
        sandbox: Where its code is run; None where no task needs that.

    Raises:
        NotRun: It could not be judged, several times.
    """
    worth = _worth(answer, task, sandbox)
    telemetry = RunTelemetry(
        **{name: getattr(answer.telemetry, name) for name in type(answer.telemetry).model_fields},
        adherence_score=worth.score,
        score_source="graders" if answer.own_score is None else "runner",
    )
    return TestRun(
        test_id=task.test_id,
        task_id=task.id,
        family=task.family,
        tier=task.tier,
        run_index=answer.run_index,
        session=answer.session,
        started_at=answer.started_at,
        window_s=answer.window_s,
        outcome=worth.outcome,
        outcome_detail=answer.failed_detail,
        fault=answer.fault,
        answer=answer.answer,
        answer_sha256=answer.answer_sha256,
        finish_reason=answer.finish_reason,
        checks=worth.checks,
        unparseable=worth.unparseable,
        runner=answer.runner,
        telemetry=telemetry,
    )


def _worth(answer: Answer, task: Task, sandbox: Sandbox | None) -> _Worth:
    """Return what it is worth; a text is graded by us whatever its author thinks of it."""
    if answer.failed:
        return _Worth(answer.failed)
    if answer.answer is None:
        assert answer.own_score is not None
        outcome = Outcome.PASS if reaches(answer.own_score, 1.0) else Outcome.FAIL
        return _Worth(outcome, answer.own_score)
    grading = judge(task, answer.answer, sandbox or NO_SANDBOX)
    for _ in range(1, _JUDGINGS):
        if grading.not_run is not None:
            grading = judge(task, answer.answer, sandbox or NO_SANDBOX)
    if grading.adherence is None:
        raise NotRun(f"{task.test_id}: not run: {grading.not_run}")
    outcome = Outcome.PASS if grading.passed else Outcome.FAIL
    return _Worth(outcome, grading.adherence, grading.checks, grading.unparseable)
