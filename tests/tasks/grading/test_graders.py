from __future__ import annotations

from typing import Any

import pytest
from builders import task

from orket_lib.tasks.grading.graders import grade
from orket_lib.tasks.grading.text_graders import same_json

PERSON = {"name": "mia", "age": 15, "city": "rome"}


def passed(grader: str, expected: Any, answer: str) -> bool:
    checks = grade(task(grader=grader, expected=expected), answer)
    assert checks
    return all(check.passed for check in checks)


@pytest.mark.parametrize(
    ("grader", "expected", "answer"),
    [
        ("exact", "cow", "cow"),
        ("exact", "cow", "cow."),
        ("exact", "2 9 76", "2, 9, 76"),
        ("number", 85, "88 - 3 = 85"),
        ("exact", "cow", " cow\n"),
        ("exact", "cow", "```\ncow\n```"),
        ("exact", "2 9 76", "<think>sorting</think>2 9 76"),
        ("number", 85, "85"),
        ("number", 85, "85.0"),
        ("number", 85, "It is 85."),
        ("number", -5, "-5"),
        ("number", -5, "\u22125"),
        ("number", 1234, "1,234"),
        ("number", 0.1, "0.1"),
        ("number", 3.0, "3"),
        ("number", 2**53 + 1, str(2**53 + 1)),
        ("json", PERSON, '{"age": 15, "city": "rome", "name": "mia"}'),
        ("json", PERSON, '```json\n{"name": "mia", "age": 15.0, "city": "rome"}\n```'),
        ("json", [1, [2]], "[1, [2]]"),
        ("json", None, "null"),
        ("json", True, "true"),
    ],
)
def test_a_right_answer_passes(grader: str, expected: Any, answer: str) -> None:
    assert passed(grader, expected, answer)


@pytest.mark.parametrize(
    ("grader", "expected", "answer"),
    [
        ("exact", "cow", ""),
        ("exact", "cow", "Cow"),
        ("exact", "cow", "cow cow"),
        ("exact", "cow", "the cow"),
        ("exact", "cow", "<think>cow</think>"),
        ("number", 85, ""),
        ("number", 85, "84 or 85"),
        ("number", 85, "850"),
        ("number", 85, "85.1"),
        ("number", 85, "-85"),
        ("number", 85, "\u221285"),
        ("number", 85, "0x55"),
        ("number", 85, "<think>85</think>"),
        ("number", 10**10, str(10**10 + 1)),
        ("number", 2**53 + 1, str(2**53)),
        ("number", 0, "9" * 400),
        ("number", 0.1, "0.1000001"),
        ("json", PERSON, ""),
        ("json", PERSON, "mia"),
        ("json", PERSON, '{"name": "mia", "age": "15", "city": "rome"}'),
        ("json", PERSON, '{"name": "mia", "age": 15}'),
        ("json", PERSON, '{"name": "mia", "age": 15, "city": "rome", "x": 1}'),
        ("json", PERSON, '{"name": "eva", "name": "mia", "age": 15, "city": "rome"}'),
        ("json", PERSON, '[{"name": "mia", "age": 15, "city": "rome"}]'),
        ("json", {"a": 1}, '{"a": true}'),
        ("json", {"a": True}, '{"a": 1}'),
        ("json", {"a": 0}, '{"a": false}'),
        ("json", {"a": None}, "{}"),
        ("json", {"a": None}, '{"a": false}'),
        ("json", [1, 2], "[2, 1]"),
        ("json", [1, 2], "[1, 2, 3]"),
        ("json", {"a": 1}, '{"a": NaN}'),
        ("json", [], "[" * 100_000),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_answer_never_scores(grader: str, expected: Any, answer: str) -> None:
    assert not passed(grader, expected, answer)


@pytest.mark.parametrize(
    ("grader", "expected", "answer"),
    [
        ("exact", "cow", "cow."),
        ("exact", "2 9 76", "2, 9, 76"),
        ("number", 85, "88 - 3 = 85"),
        ("json", [1], "Here it is: [1]"),
    ],
)
def test_another_form_passes_unless_the_form_counts(
    grader: str, expected: Any, answer: str
) -> None:
    assert passed(grader, expected, answer)
    asked = task(grader=grader, expected=expected, form_counts=True)
    assert not any(check.passed for check in grade(asked, answer))


def test_a_failed_check_says_what_was_expected_and_found() -> None:
    (check,) = grade(task(expected=85), "It is 84.")
    assert check.detail == "expected 85, got 84"
    (check,) = grade(task(expected=85), "84 or 85")
    assert check.detail == "unparseable: no single number in '84 or 85'"
    (check,) = grade(task(grader="json", expected=[1]), "[2]")
    assert check.detail == "expected [1], got [2]"


def test_a_long_answer_does_not_fill_the_report() -> None:
    (check,) = grade(task(grader="exact", expected="a"), "b" * 10_000)
    assert len(check.detail) < 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, False, False),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        ({"a": [1]}, {"a": [True]}, False),
        ({}, [], False),
        ("1", 1, False),
    ],
)
def test_json_values_are_equal_as_json(one: Any, other: Any, same: bool) -> None:
    assert same_json(one, other) is same
    assert same_json(other, one) is same
