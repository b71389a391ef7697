"""The right answer of a task in words."""

from __future__ import annotations

from typing import Any

import pytest
from builders import task

from orket_lib.tasks.task import right_answer


@pytest.mark.parametrize(
    ("grader", "expected", "words"),
    [
        ("number", 7, "7"),
        ("exact", "cow", "cow"),
        ("json", {"a": [1]}, '{"a": [1]}'),
        ("contains", "cow", "contains cow"),
        ("regex", "c.w", "matches c.w"),
        ("agrees", None, None),
    ],
)
def test_what_graders_expect_is_told_in_words(
    grader: str, expected: Any, words: str | None
) -> None:
    known = {} if expected is None else {"expected": expected}
    asked = task(grader=grader, **({"expected": None} | known))
    assert right_answer(asked) == words
