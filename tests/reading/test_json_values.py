"""The JSON value of an answer: the whole of it, or the only one in it."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.reading.json_values import stated_json, strict_json

VALUE = {"a": [1, 2]}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2]}',
        'Here it is: {"a": [1, 2]}',
        '"{\\"a\\": [1, 2]}"',
        '{"a": [1, 2]} That is all.',
        '{"a": [1, 2]}\n\nor shorter:\n{"a":[1,2]}',
        'Sure!\n\n```json\n{\n  "a": [\n    1,\n    2\n  ]\n}\n```\n\nIt has one key.',
        'The text has {braces} and [links](https://example.org).\n\n{"a": [1, 2]}',
        'First {"a": [1]}.\n\nFinal answer: {"a": [1, 2]}',
    ],
)
def test_a_value_is_found_in_prose(text: str) -> None:
    assert strict_json(stated_json(text)) == VALUE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no value",
        '{"a": 1} or {"a": 2}',
        '```json\n{"a": 1}\n```\n\n```json\n{"a": 2}\n```',
        '```json\n{"a": 1,}\n```',
        'Here you are: [{"a": 1},\n{"a": 2}, done',
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_no_or_several_values_are_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        stated_json(text)


@pytest.mark.parametrize("value", [None, True, 7, "x"])
def test_a_plain_value_is_json_too(value: Any) -> None:
    text = {None: "null", True: "true", 7: "7", "x": '"x"'}[value]
    assert strict_json(stated_json(f"The answer is {text}.")) == value


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
        strict_json(text)
