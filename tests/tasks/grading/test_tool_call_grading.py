"""Calls of tools: what is called counts, however it is written, unless its form does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import task

from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.tasks.grading.graders import Grading, judge

ARGUMENTS = {"town": "Paris", "count": 3}
ORDER = {"name": "create_order", "arguments": ARGUMENTS}
FIND: dict[str, Any] = {"name": "find_order", "arguments": {}}
TOOLS = [
    {
        "name": name,
        "description": "Do it.",
        "parameters": {
            "type": "object",
            "properties": {"town": {"type": "string"}, "count": {"type": "integer"}},
        },
    }
    for name in ("create_order", "find_order")
]
BARE = json.dumps(ORDER)


def graded(
    answer: str, *calls: ToolCall, expected: Any = ORDER, tools: bool = False, **more: Any
) -> Grading:
    offer: dict[str, Any] = {"tools": TOOLS} if tools else {}
    asked = task(grader="tool_call", expected=expected, **more, **offer)
    return judge(asked, answer, calls=calls)


RIGHT = {
    "bare": BARE,
    "fence": f"```json\n{BARE}\n```",
    "fence of Python": f"```python\n{BARE}\n```",
    "in parentheses": f"I will call it now ({BARE}).",
    "in a sentence": f"I will call it now: {BARE}",
    "tags": f"<tool_call>\n{BARE}\n</tool_call>",
    "tags, the last one open": f"Sure.\n<tool_call>{BARE}",
    "a list of one": f"[{BARE}]",
    "OpenAI's form": json.dumps(
        {"type": "function", "function": {**ORDER, "arguments": json.dumps(ARGUMENTS)}}
    ),
    "OpenAI's message": json.dumps({"tool_calls": [{"id": "x", "function": ORDER}]}),
    "parameters": json.dumps({"name": "create_order", "parameters": ARGUMENTS}),
    "another order": '{"arguments": {"count": 3, "town": "Paris"}, "name": "create_order"}',
    "left out as null": json.dumps({**ORDER, "arguments": {**ARGUMENTS, "time": None}}),
    "after reasoning": f"<think>find_order?</think>{BARE}",
}


@pytest.mark.parametrize("form", RIGHT)
def test_a_right_call_passes_in_any_form(form: str) -> None:
    found = graded(RIGHT[form])
    assert found.passed, found.checks
    assert found.form_kept == (
        form not in ("in a sentence", "in parentheses", "tags", "tags, the last one open")
    )


WRONG = {
    "another tool": (json.dumps({**ORDER, "name": "create_orders"}), "create_orders"),
    "another value": (BARE.replace("Paris", "paris"), "argument 'town'"),
    "another type": (BARE.replace("3", '"3"'), "argument 'count'"),
    "true is not 1": (BARE.replace("3", "true"), "argument 'count'"),
    "an argument too few": (BARE.replace(', "count": 3', ""), "argument 'count'"),
    "an argument as null": (BARE.replace("3", "null"), "argument 'count'"),
    "an argument too many": (BARE.replace("3}", '3, "colour": "red"}'), "'colour'"),
    "two calls": (f"[{BARE}, {BARE}]", "got 2"),
    "no calls": ("[]", "got 0"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_call_fails_and_says_where(kind: str) -> None:
    answer, said = WRONG[kind]
    found = graded(answer)
    assert not found.passed
    assert not found.unparseable
    assert said in found.checks[0].detail


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I can't do that.",
        "create_order(town='Paris', count=3)",
        '{"create_order": {"town": "Paris"}}',
        '{"name": "create_order", "arguments": [1]}',
        '{"name": "create_order", "arguments": "{"}',
        '{"name": 3, "arguments": {}}',
        "<tool_call>create_order</tool_call>",
        f"{BARE}\n{json.dumps(FIND)}",
        f"```python\nimport json\ncall = '{BARE}'\nprint(call)\n```",
        f"```python\ncall = {BARE}\nsend(call)\n```",
        f"import json\nprint(json.dumps({BARE}))",
        f'json.loads("""\n{BARE}""")',
        f"const calls = [{BARE}];",
        f"```python\nprint('<tool_call>{BARE}</tool_call>')\n```",
    ],
)
def test_what_is_no_call_is_unparseable(answer: str) -> None:
    assert graded(answer).unparseable


def test_several_calls_count_in_their_order() -> None:
    both, turned = [ORDER, FIND], [FIND, ORDER]
    assert graded(json.dumps(both), expected=both).passed
    assert not graded(json.dumps(turned), expected=both).passed
    tags = "".join(f"<tool_call>{json.dumps(one)}</tool_call>" for one in both)
    assert graded(tags, expected=both).passed


NATIVE = ToolCall(name="create_order", arguments=json.dumps(ARGUMENTS))


def test_a_call_through_the_api_is_the_answer_whatever_is_said() -> None:
    found = graded(f"I call find_order: {json.dumps(FIND)}", NATIVE, tools=True)
    assert found.passed
    assert found.form_kept
    wrong = graded(BARE, ToolCall(name="find_order", arguments="{}"), tools=True)
    assert not wrong.passed


@pytest.mark.parametrize("arguments", ["", "{}", " "])
def test_no_arguments_are_none(arguments: str) -> None:
    assert graded(
        "", ToolCall(name="find_order", arguments=arguments), expected=FIND, tools=True
    ).passed


def test_broken_arguments_are_unparseable() -> None:
    assert graded("", ToolCall(name="create_order", arguments='{"town": '), tools=True).unparseable


def test_a_call_that_is_only_written_has_the_content_and_not_the_form() -> None:
    found = graded(BARE, tools=True)
    assert found.passed
    assert found.form_kept is False
    strict = graded(BARE, tools=True, form_counts=True)
    assert strict.unparseable
    assert graded("", NATIVE, tools=True, form_counts=True).passed


def test_where_the_form_counts_a_written_call_is_nothing_but_json() -> None:
    assert graded(BARE, form_counts=True).passed
    assert graded(RIGHT["tags"], form_counts=True).unparseable


def test_many_open_tags_take_no_time() -> None:
    assert graded("<tool_call>" * 80_000).unparseable
