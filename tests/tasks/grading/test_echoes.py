"""An answer that repeats its prompt says nothing; one that goes on after it is read."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from task_forms import patterns_in_this_process, structured

from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.generators.bank import FAMILIES_WITHOUT_CODE, SHIPPED, generate, generated
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.task import StructuredTask

ECHOES = {
    "prompt": "{prompt}",
    "quoted": 'You asked: "{prompt}"',
    "polite": "Sure! {prompt}\n\nI will do that.",
    "question": "{problem}\n\n{instruction}",
    "instruction": "{instruction}",
    "one line": "{line}",
}
NUMBER = {"type": "number", "expected": 5}

__all__ = ["patterns_in_this_process"]
pytestmark = pytest.mark.usefixtures("patterns_in_this_process")


@cache
def _shipped() -> list[tuple[StructuredTask, str]]:
    tasks = TaskBank.model_validate(generate()).tasks
    drafts = generated(FAMILIES_WITHOUT_CODE, (1, 2, 3), SHIPPED, 1)
    return [
        (task, draft.answer)
        for task, (*_, draft) in zip(tasks, drafts, strict=True)
        if isinstance(task, StructuredTask)
    ]


@pytest.mark.parametrize("echo", ECHOES)
def test_no_task_of_the_shipped_bank_is_passed_by_its_own_prompt(echo: str) -> None:
    passed = []
    for task, _ in _shipped():
        parts = {"prompt": task.prompt, "problem": task.problem, "instruction": task.instruction}
        answer = ECHOES[echo].format(line=" ".join(task.prompt.split()), **parts)
        passed += [task.test_id] * judge(task, answer).passed
    assert passed == []


def test_right_answers_after_their_prompt_pass() -> None:
    failed = [
        task.test_id
        for task, answer in _shipped()
        if not getattr(task.evaluations[0], "form_counts", False)
        and not judge(task, f"{task.prompt}\n\n{answer}").passed
    ]
    assert failed == []


@pytest.mark.parametrize(
    ("instruction", "evaluation", "answer", "passed"),
    [
        ("How many of the 5 apples are there?", NUMBER, "How many of the 5 apples\nare there?", 0),
        ("How many of the 5 apples are apples?", NUMBER, "5 of the 5 apples are apples.", 1),
        ("2 + 3 =", NUMBER, "2 + 3 = 5", 1),
        ("5", NUMBER, "5", 0),
        ("Write it: stone", {"type": "contains", "all": ["stone"]}, "Write it: stone", 0),
        ("To be or not to be, that", {"type": "exact", "expected": "To be or not to be, that is"},
         "To be or not to be, that is", 1),
        ("The capital of France is", {"type": "contains", "all": ["Paris"]},
         "The capital of France is Paris.", 1),
    ],
)  # fmt: skip
def test_what_is_left_of_an_answer_is_read(
    instruction: str, evaluation: dict[str, Any], answer: str, passed: int
) -> None:
    assert (
        judge(structured(instruction=instruction, evaluation=evaluation), answer).passed == passed
    )


def test_an_answer_that_only_repeats_its_prompt_is_unparseable() -> None:
    task = structured(instruction="How many of the 5 apples are apples?", evaluation=NUMBER)
    grading = judge(task, task.prompt)
    assert grading.unparseable
    assert grading.checks[0].detail == "unparseable: the answer repeats its prompt"
