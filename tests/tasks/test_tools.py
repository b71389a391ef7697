"""Tools on offer: what a bank may say, and what an answer depends on."""

from __future__ import annotations

from typing import Any

import pytest
from builders import task
from pydantic import ValidationError

from orket_lib.tasks.bank import Question, StructuredTask, task_key

CALL = {"name": "create_order", "arguments": {"count": 3}}


def tool(name: str = "create_order", **parameters: Any) -> dict[str, Any]:
    rules = {"type": "object", "properties": {"count": {"type": "integer"}}, **parameters}
    return {"name": name, "description": "Create the order.", "parameters": rules}


def question(*tools: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "family": "calls",
        "tier": 1,
        "prompt": "Create the order with a count of 3.",
        "grader": "tool_call",
        "expected": CALL,
        "tools": list(tools),
        **changes,
    }


def structured(*tools: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "tier": 1,
        "instruction": "Create the order with a count of 3.",
        "evaluation": {"type": "tool_call", "expected": CALL},
        "tools": list(tools),
        **changes,
    }


def test_an_answer_depends_on_the_tools() -> None:
    one = Question.model_validate(question(tool()))
    other = Question.model_validate(question(tool(), tool("find_order")))
    assert one.sent == {"prompt": one.prompt, "tools": [tool()]}
    assert task_key(one) != task_key(other)


def test_a_task_without_tools_is_what_it_was() -> None:
    plain = task(7)
    assert plain.sent == {"prompt": plain.prompt}
    assert "tools" not in plain.model_dump(mode="json")
    # Recorded before there were tools: answers in the store are found by it.
    assert task_key(plain) == "9a05eff4c08e"


def test_a_prompt_says_how_to_write_a_call_only_where_the_template_does_not() -> None:
    native = StructuredTask.model_validate(structured(tool()))
    written = StructuredTask.model_validate(structured())
    assert native.prompt == "Create the order with a count of 3."
    assert written.prompt == f"{native.prompt}\n\nAnswer with one JSON value only."


@pytest.mark.parametrize("form", [question, structured])
@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ([tool("find_order")], "expected calls create_order, and tools has find_order"),
        ([tool(required=["town"])], "break its schema: .*'town' is a required property"),
        ([tool(properties={"count": {"type": "string"}})], r"break its schema: \$.count: 3 is not"),
        ([tool(), tool()], "each name once, got several create_order"),
        ([tool("create order")], "name"),
        ([tool(type="array")], '"type": "object"'),
        ([tool(type="objekt")], "not a JSON Schema"),
        ([{**tool(), "strict": True}], "strict"),
        ([{**tool(), "description": ""}], "description"),
    ],
)
def test_a_mistake_is_named(form: Any, tools: list[dict[str, Any]], said: str) -> None:
    kind = Question if form is question else StructuredTask
    with pytest.raises(ValidationError, match=said):
        kind.model_validate(form(*tools))


@pytest.mark.parametrize("expected", [[], {"arguments": {}}, {"name": "a", "argument": {}}, "a()"])
def test_an_expected_call_has_a_name(expected: Any) -> None:
    with pytest.raises(ValidationError, match="does not fit grader `tool_call`"):
        Question.model_validate(question(expected=expected))


def test_tools_may_be_there_and_not_be_the_answer() -> None:
    asked = Question.model_validate(question(tool(), grader="exact", expected="none of them"))
    assert asked.offered == (tool(),)
