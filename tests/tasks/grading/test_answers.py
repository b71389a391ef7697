from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orket_lib.tasks.grading.answers import only_number, parse_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("67", "67", id="bare"),
        pytest.param("The answer is 67.", "67", id="in a sentence"),
        pytest.param("**67**", "67", id="bold"),
        pytest.param("67 (67)", "67", id="twice the same"),
        pytest.param("3.0", "3", id="trailing zero"),
        pytest.param("-5", "-5", id="negative"),
        pytest.param("+5", "5", id="plus"),
        pytest.param("\u22125", "-5", id="typographic minus"),
        pytest.param("1,234", "1234", id="thousands"),
        pytest.param("1,234,567.5", "1234567.5", id="millions"),
        pytest.param("0.25", "0.25", id="fraction"),
        pytest.param("<think>maybe 3, or 4</think>5", "5", id="thoughts don't count"),
        pytest.param("```\n5\n```", "5", id="fenced"),
        pytest.param("9007199254740993", "9007199254740993", id="beyond 2**53"),
        pytest.param("", None, id="nothing"),
        pytest.param("none", None, id="no number"),
        pytest.param("67 94", None, id="two candidates"),
        pytest.param("60 + 7 = 67", None, id="an echo of the question"),
        pytest.param("5-3", None, id="a difference"),
        pytest.param("5\u22123", None, id="a typographic difference"),
        pytest.param("It is \u20135.", "-5", id="a dash before a digit"),
        pytest.param("5\u20133", None, id="from one number to another"),
        pytest.param("the result \u2013 5", "5", id="a dash in a sentence"),
        pytest.param("5 and -5", None, id="both signs"),
        pytest.param("1/2", None, id="a ratio"),
        pytest.param("1,23", None, id="no thousands"),
        pytest.param("1.2.3", None, id="a version"),
        pytest.param("1.234,5", None, id="a European decimal"),
        pytest.param("12,345,6", None, id="broken thousands"),
        pytest.param("1e5", None, id="an exponent"),
        pytest.param("0x10", None, id="hexadecimal"),
        pytest.param("x7", None, id="part of a word"),
        pytest.param("7th", None, id="an ordinal"),
        pytest.param("7\u00b2", None, id="a power"),
        pytest.param(".5", None, id="no leading digit"),
        pytest.param("NaN", None, id="not a number"),
        pytest.param("10:30", None, id="a time"),
    ],
)
def test_an_answer_states_one_number_or_none(text: str, expected: str | None) -> None:
    assert only_number(text) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a": 1}', {"a": 1}, id="object"),
        pytest.param('```json\n{"a": [1, 2]}\n```', {"a": [1, 2]}, id="fenced"),
        pytest.param('<think>{"a": 2}</think>{"a": 1}', {"a": 1}, id="after thoughts"),
        pytest.param(" null ", None, id="null"),
    ],
)
def test_the_whole_answer_is_json(text: str, expected: Any) -> None:
    assert parse_json(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param('Here it is: {"a": 1}', id="with words before"),
        pytest.param('{"a": 1} done', id="with words after"),
        pytest.param('{"a": 1}{"a": 1}', id="twice"),
        pytest.param('{"a": 1, "a": 2}', id="key twice"),
        pytest.param('{"x": {"a": 1, "a": 1}}', id="inner key twice"),
        pytest.param('{"a": NaN}', id="NaN"),
        pytest.param("[Infinity]", id="infinity"),
        pytest.param("-Infinity", id="negative infinity"),
        pytest.param("{'a': 1}", id="Python"),
        pytest.param('{"a": 1,}', id="trailing comma"),
        pytest.param("9" * 5000, id="beyond Python's digits"),
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)
