"""Sealed answers, graded by the tasks as they are now."""

from __future__ import annotations

from typing import Any

import pytest
from builders import answered

from orket_lib.measure.runs.grading import grade_answer
from orket_lib.tasks.bank import Question
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome

NOT_GRADED = Null("NO_EXPECTED_ANSWER")


def task(**changes: Any) -> Question:
    values = {"id": 1, "family": "add", "tier": 1, "prompt": "1?", "grader": "number"}
    return Question.model_validate(values | {"expected": 1} | changes)


AGREES = Question(id=1, family="add", tier=1, prompt="1?", grader="agrees")


@pytest.mark.parametrize(
    ("changes", "graded", "outcome", "score"),
    [
        ({}, task(), Outcome.PASS, 1.0),
        ({}, task(expected=2), Outcome.FAIL, 0.0),
        ({"failed": Outcome.TIMEOUT, "answer": None}, task(), Outcome.TIMEOUT, 0.0),
        ({"answer": None, "own_score": 0.5}, task(), Outcome.FAIL, 0.5),
        ({}, AGREES, Outcome.ANSWERED, NOT_GRADED),
        ({"answer": ""}, AGREES, Outcome.ANSWERED, NOT_GRADED),
        ({"failed": Outcome.TIMEOUT, "answer": None}, AGREES, Outcome.TIMEOUT, NOT_GRADED),
        ({"answer": None, "own_score": 0.5}, AGREES, Outcome.ANSWERED, NOT_GRADED),
    ],
    ids=str,
)
def test_an_answer_is_graded(
    changes: dict[str, Any], graded: Question, outcome: Outcome, score: float | Null
) -> None:
    found = grade_answer(answered().model_copy(update=changes), graded, None)
    assert found.outcome is outcome
    assert found.telemetry.reading("adherence_score") == score


@pytest.mark.parametrize("asked", [task(), AGREES], ids=["graded", "only compared"])
def test_a_leaked_token_is_seen_whether_or_not_a_task_is_graded(asked: Question) -> None:
    leaked = answered().model_copy(update={"answer": "1<|im_end|>"})
    assert grade_answer(leaked, asked, None).leaked_token == "<|im_end|>"
    assert grade_answer(answered(), asked, None).leaked_token is None


def test_what_was_measured_is_kept_with_its_reasons() -> None:
    sealed = answered()
    found = grade_answer(sealed, AGREES, None).telemetry
    assert found.null_reasons == sealed.telemetry.null_reasons | {
        "adherence_score": "NO_EXPECTED_ANSWER"
    }
    assert found.total_latency == sealed.telemetry.total_latency
    assert found.token_metrics == sealed.telemetry.token_metrics
