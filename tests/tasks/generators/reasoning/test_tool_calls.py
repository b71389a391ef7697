"""Tool calls: requests read again, phrase by phrase, against the tools that the prompt offers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from family_contract import LEVELS, FamilyContract, drafts
from matches import match_in

from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import native_tool_calls, tool_calls
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.task import StructuredTask

VERBS = {
    "create": "create|set up|add",
    "cancel": "cancel|call off|withdraw",
    "move": "move|reschedule|shift",
    "find": "look up|search for|find",
    "copy": "copy|duplicate|make a second one of",
    "print": "print|put on paper|make a printout of",
}
PHRASES = {
    "person": r"for ([A-Z]\w+)",
    "town": r"in ([A-Z]\w+)",
    "item": r'with the item "(\w+)"',
    "place": r'at the place "(\w+)"',
    "count": r"with a count of (\d+(?: dozen)?)",
    "minutes": r"lasting (\d+)(?: minutes| and a half hours)",
    "time": r"at (\d\d:\d\d|[a-z ]+ \d+ in the afternoon or evening)",
    "urgent": r"(urgently|something urgent|no urgency|without any hurry)",
}


def value_of(name: str, said: str, phrase: str) -> Any:
    """Return what a call holds for what a request says."""
    if name == "urgent":
        return said in ("urgently", "something urgent")
    if name == "minutes":
        return int(said) if phrase.endswith("minutes") else int((int(said) + 0.5) * 60)
    if name == "count":
        number, _, dozen = said.partition(" ")
        return int(number) * (12 if dozen else 1)
    if name == "time" and ":" not in said:
        hour = int(match_in(r"\d+", said)[0]) + 12
        if "half past" in said:
            return f"{hour}:30"
        return f"{hour}:15" if "past" in said else f"{hour - 1}:45"
    return said


def call_of(request: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one call that a request asks for."""
    fits = []
    for tool in tools:
        verb, thing = tool["name"].split("_")
        if re.search(rf"(?<!\w)(?:{VERBS[verb]}) the {thing}\b", request):
            fits.append(tool)
    (tool,) = fits
    arguments = {}
    for name in tool["arguments"]:
        # What is corrected is said first, and the right value after it.
        for found in re.finditer(PHRASES[name], request):
            arguments[name] = value_of(name, found[1], found[0])
    return {"name": tool["name"], "arguments": arguments}


def tools_of(problem: str) -> list[dict[str, Any]]:
    """Return each tool that a prompt offers, with its arguments."""
    lines = [json.loads(one) for one in re.findall(r'\{"name.*\}', problem)]
    return [
        {"name": name, "arguments": line["arguments"]}
        for line in lines
        for name in line.get("names", [line.get("name")])
    ]


def wrong_calls(draft: Draft) -> list[str]:
    """Return calls of which some part is wrong."""
    answer = json.loads(draft.answer)
    call = answer[0] if isinstance(answer, list) else answer
    arguments = call["arguments"]
    name = next(iter(arguments))
    changed = [
        {"name": f"{call['name']}s", "arguments": arguments},
        {"name": call["name"], "arguments": {**arguments, name: "Bergen"}},
        {"name": call["name"], "arguments": {**arguments, "colour": "red"}},
        {"name": call["name"], "arguments": {}},
        {"name": call["name"], **arguments},
    ]
    return [*map(json.dumps, changed), draft.answer[:-1], f"{call['name']}({name})"]


class TestToolCalls(FamilyContract):
    family = tool_calls

    def agrees(self, draft: Draft) -> bool:
        tools = tools_of(draft.problem)
        request = match_in("Request: (.*)", draft.instruction)[1]
        calls = [call_of(one, tools) for one in request.split(" After that: ")]
        answer = json.loads(draft.answer)
        return calls == (answer if isinstance(answer, list) else [answer])

    def wrong(self, draft: Draft) -> list[str]:
        return wrong_calls(draft)

    def test_the_offer_grows(self) -> None:
        offers = [drafts(tool_calls, level, 1)[0].problem for level in (1, 2, 3)]
        assert [len(tools_of(one)) for one in offers] == [1, 5, 20]


class TestNativeToolCalls(FamilyContract):
    family = native_tool_calls

    def agrees(self, draft: Draft) -> bool:
        offered = [
            {"name": tool["name"], "arguments": list(tool["parameters"]["properties"])}
            for tool in draft.tools
        ]
        return bool(call_of(draft.instruction, offered) == json.loads(draft.answer))

    def wrong(self, draft: Draft) -> list[str]:
        return wrong_calls(draft)

    @pytest.mark.parametrize("level", LEVELS)
    def test_every_task_is_one_of_a_bank(self, level: int) -> None:
        for draft in drafts(native_tool_calls, level, 20):
            task = bank_task(draft)
            assert len(task.tools) == (1, 5, 20, 24, 28, 32)[level - 1]
            assert not draft.problem
            call = json.loads(draft.answer)
            made = ToolCall(name=call["name"], arguments=json.dumps(call["arguments"]))
            found = judge(task, "", calls=[made])
            assert found.passed
            assert found.form_kept

    def test_twenty_tools_fit_into_a_small_context(self) -> None:
        made = drafts(native_tool_calls, 3, 20)
        assert max(len(json.dumps(draft.tools)) for draft in made) < 5000  # about 1,500 tokens


def bank_task(draft: Draft) -> StructuredTask:
    content = {"id": 1, "tier": 1, "instruction": draft.instruction, "tools": list(draft.tools)}
    return StructuredTask.model_validate({**content, "evaluation": draft.evaluation})
