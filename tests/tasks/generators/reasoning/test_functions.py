"""Functions: the steps done again with plain loops, and the code of the answer run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from family_contract import LEVELS, FamilyContract, drafts, task_of
from matches import match_in
from task_forms import walled

from orket_lib.sandbox.examples import Call, Raised, Returned
from orket_lib.sandbox.jobs import Ending, Outcome
from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import functions
from orket_lib.tasks.grading import observations
from orket_lib.tasks.grading.graders import judge

FORMS = ("bare", "newline", "thinking", "blank")


def step(said: str, values: list[int]) -> Any:
    """Return what a list is after one step, made with loops."""
    number = int((re.search(r"-?\d+", said) or ["0"])[0])
    made: list[int] = []
    if said.startswith("Return"):
        if "how many" in said:
            return len(values)
        if "sum" in said:
            for value in values[1:]:
                values[0] += value
            return values[0] if values else 0
        ordered = sorted(values) or [0]
        return ordered[-1] if "largest" in said else ordered[0] if "smallest" in said else values
    if "Reverse" in said:
        while values:
            made.append(values.pop())
        return made
    if said.startswith("Move"):
        count = number or 1
        for _ in range(count):
            values = [*values[1:], *values[:1]] if len(values) > count else values
        return values
    if "Swap" in said:
        for at in range(1, len(values), 2):
            values[at - 1], values[at] = values[at], values[at - 1]
        return values
    total = 0
    for at, value in enumerate(values):
        near = [values[place] for place in (at - 1, at + 1) if 0 <= place < len(values)]
        total += value
        if said.startswith("Keep only"):
            made += [value] * (value > number)
        elif said.startswith("Drop all"):
            made += [value] * (bool(value & 1) == ("even" in said))
        elif said.startswith("Multiply"):
            made.append(sum([value] * number))
        elif "its position" in said:
            made.append(at + value)
        elif said.startswith("Add"):
            made.append(number + value)
        elif "negative" in said:
            made.append(0 if str(value).startswith("-") else value)
        elif "occurred before" in said:
            made += [value] * (value not in made)
        elif "up to and including" in said:
            made.append(total)
        elif said.startswith("Subtract"):
            made.append(value - values[at - 1] if at > 0 else value)
        elif said.startswith("Double"):
            made.append(value + value if not near or value > max(near) else value)
        elif said.startswith("Drop every"):
            made += [value] * ((at + 1) % number != 0)
        elif "minus x" in said:
            low, high = map(int, re.findall(r"\d+", said))
            made.append(high - value if value > low else value)
        else:
            raise AssertionError(said)
    return made


def small(said: str, given: list[Any]) -> Any:
    """Return what a function of one expression gives."""
    first = given[0]
    number = int((re.findall(r"-?\d+", said) or ["0"])[0])
    quoted = re.search(r'"(\w+)"', said)
    if quoted:
        return f"{first}{quoted[1]}" if "text followed" in said else f"{quoted[1]}{first}"
    if "capital" in said:
        return first.swapcase()
    if "number of letters" in said:
        return sum(1 for _ in first) + number
    if "tells whether" in said:
        return not first <= number
    if "larger one" in said:
        return sorted([first, number])[1]
    if "minus" in said:
        return first - number
    if "times" in said:
        return sum([first] * number)
    return sum([*given, number])


def solve(said: str, given: list[Any]) -> Any:
    steps = re.findall(r"(?m)^\d+\. (.*)$", said)
    if not steps:
        return small(said.splitlines()[0], given)
    result: Any = list(given[0])
    for one in steps:
        result = step(one, result)
    return result


def called_here(_sandbox: Any, source: str, function: str, calls: list[Call], limits: Any) -> Any:
    """Return results as a sandbox does, of code that these tests wrote themselves."""
    ending = Ending(Outcome.EXITED, 0, None, 0.0, 0.0)
    try:
        scope: dict[str, Any] = {}
        exec(source, scope)
        return [Returned(scope[function](*call.arguments), ending) for call in calls]
    except Exception as error:
        return [Raised((type(error).__name__,), str(error), True, ending) for _ in calls]


class TestFunctions(FamilyContract):
    family = functions
    forms = FORMS

    @pytest.fixture(autouse=True)
    def _code_in_this_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(observations, "call_examples", called_here)

    def passes(self, draft: Draft, level: int, answer: str) -> bool:
        return judge(task_of(draft, level), answer, object()).passed  # type: ignore[arg-type]

    def agrees(self, draft: Draft) -> bool:
        name = draft.evaluation["function_name"]
        scope: dict[str, Any] = {}
        exec(match_in("```python\n(.*)```", draft.answer, re.DOTALL)[1], scope)
        return all(
            solve(draft.instruction, one["args"]) == one["expected"] == scope[name](*one["args"])
            for one in draft.evaluation["examples"]
        )

    def wrong(self, draft: Draft) -> list[str]:
        lines = draft.answer.splitlines()
        head, end = lines[1], lines[-2]
        returned = end.strip().removeprefix("return ")
        return [
            "\n".join(["```python", head, "    return None", "```"]),
            "\n".join([*lines[:-2], f"    return [{returned}]", "```"]),
            "\n".join([*lines[:-2], f"    print({returned})", "```"]),
            draft.answer.replace("def ", "def my_"),
            draft.answer.replace("return", "retrun"),
            "The function is easy to write.",
        ]

    @pytest.mark.parametrize("level", LEVELS)
    def test_code_passes_however_it_is_wrapped(self, level: int) -> None:
        for draft in drafts(functions, level, 5):
            code = "\n".join(draft.answer.splitlines()[1:-1])
            name = draft.evaluation["function_name"]
            for answer in (
                code,
                f"```\n{code}\n```",
                f"Sure! Here it is:\n\n~~~py\n{code}\n~~~\n\nIt does all the steps.",
                f"{draft.answer}\nUse it so:\n```\nprint({name})\n```",
                f"```python\nimport math\n\n\n{code}\n",
            ):
                assert self.passes(draft, level, answer), answer

    def test_a_step_that_is_left_out_fails(self) -> None:
        for draft in drafts(functions, 3, 30):
            lines = draft.answer.splitlines()
            less = "\n".join([*lines[:2], lines[-2], "```"])
            assert not self.passes(draft, 3, less)

    @pytest.mark.slow
    @pytest.mark.parametrize("level", LEVELS)
    def test_answers_pass_in_a_walled(self, level: int, monkeypatch: Any) -> None:
        monkeypatch.undo()
        sandbox = walled()
        for draft in drafts(functions, level, 2):
            assert judge(task_of(draft, level), draft.answer, sandbox).passed
