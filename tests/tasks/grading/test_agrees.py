"""The grader `agrees`: no right answer is known, so nothing is graded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from task_forms import content, judged_by

from orket_lib.tasks.bank import Question, StructuredTask, TaskBank
from orket_lib.tasks.grading.graders import check_names, judge
from orket_lib.tasks.solutions import Solution, Solutions, verify
from orket_lib.tasks.task import is_graded, needs_sandbox

QUESTION: dict[str, Any] = {
    "id": 1,
    "family": "chat",
    "tier": 1,
    "prompt": "Hi.",
    "grader": "agrees",
}
ALONE = {"type": "agrees"}


@pytest.mark.parametrize("answer", ["", "Hello.", "x" * 1_000_001])
@pytest.mark.parametrize("task", [Question.model_validate(QUESTION), judged_by(ALONE)], ids=str)
def test_no_answer_is_right_or_wrong(task: Question | StructuredTask, answer: str) -> None:
    found = judge(task, answer)
    assert found.ungraded
    assert (found.passed, found.adherence, found.checks) == (False, None, ())
    assert (found.not_run, found.unparseable) == (None, False)


def test_it_has_no_checks_and_needs_no_sandbox() -> None:
    task = judged_by(ALONE)
    assert check_names(task.evaluations[0]) == []
    assert not needs_sandbox(task)
    assert not is_graded(task)
    assert is_graded(judged_by({"type": "exact", "expected": "a"}))


def test_the_prompt_of_a_structured_task_asks_for_no_form() -> None:
    assert judged_by(ALONE).prompt == "Write the word stone."


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (QUESTION | {"expected": "x"}, "grader `agrees` compares with the baseline and has no"),
        (QUESTION | {"grader": "exact"}, "expected: missing, grader `exact` needs it"),
        (content(evaluation=[ALONE, {"type": "exact", "expected": "a"}]), "agrees stands alone"),
        (content(evaluation={"type": "agrees", "expected": "a"}), "Extra inputs"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_a_task_with_and_without_a_right_answer_is_refused(task: Any, said: str) -> None:
    bank = {"schema_version": "orket.task_bank.v1", "bank_id": "x", "tasks": [task]}
    with pytest.raises(ValidationError, match=said):
        TaskBank.model_validate(bank)


def test_a_json_answer_may_be_null() -> None:
    task = Question.model_validate(QUESTION | {"grader": "json", "expected": None})
    assert judge(task, "null").passed


def test_verifying_a_bank_needs_no_solution_of_such_a_task() -> None:
    bank = TaskBank.model_validate(
        {
            "schema_version": "orket.task_bank.v1",
            "bank_id": "x",
            "tasks": [content(evaluation=ALONE)],
        }
    )
    other = Solution(id=9, reference_solution="x")
    version = {"schema_version": "orket.task_solutions.v1"}
    ((_, problems),) = verify(bank, Solutions(**version, solutions=(other,)), judge)
    assert problems == ["a solution for 9, which is no task"]
    mine = Solution(id=1, reference_solution="x")
    ((_, problems),) = verify(bank, Solutions(**version, solutions=(mine,)), judge)
    assert problems == ["a solution of a task whose answers are not graded (grader `agrees`)"]
