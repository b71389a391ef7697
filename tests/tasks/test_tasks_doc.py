"""docs/reference/tasks.md shows only what loads, and its examples judge as it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from task_forms import ROOT, walled

from orket_lib.sandbox.detect import Unavailable
from orket_lib.tasks.bank import StructuredTask, TaskBank
from orket_lib.tasks.grading.code_facts import CONSTRUCTS
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.solutions import Solutions, verify
from orket_lib.tasks.task import needs_sandbox

TEXT = (ROOT / "docs" / "reference" / "tasks.md").read_text(encoding="utf-8")
BANK, *TASKS, SOLUTIONS = (
    json.loads(block) for block in re.findall("```json\n(.*?)```", TEXT, re.S)
)

# An answer that passes, one that is wrong, one in another form; by the type of the first grader.
ANSWERS: dict[str, tuple[str, str, str]] = {
    "exact": ("enots", "stone", ""),
    "choice": ("B) Rome", "Madrid", "Berlin"),
    "number": ("0.333", "0.3", "a third"),
    "json": ('{"age": 15, "name": "Mia"}', '{"name": "Mia"}', "Mia, 15"),
    "tool_call": (
        '{"name": "move_meeting", "arguments": {"time": "14:30"}}',
        '{"name": "move_meeting", "arguments": {"time": "4:30"}}',
        "I moved the meeting to 14:30.",
    ),
    "json_list": ("[32, 212]", "[32, 100]", "32, 212"),
    "json_schema": ('{"name": "Ann", "age": 1}', '{"name": "Ann"}', "Ann"),
    "regex": ("1999-12-31", "31.12.1999", ""),
    "label": ("It is positive.", "negative", "positive or negative"),
    "contains": ("Marie Curie found radium.", "Curie found polonium.", ""),
    "function_examples": (
        "def bounds(values):\n    return min(values), max(values)\n",
        "def bounds(values):\n    return [min(values), max(values)]\n",
        "Use min and max.",
    ),
    "cli_examples": (
        "main.py\n```python\nimport sys\nfrom sums import total\n"
        "if len(sys.argv) < 2:\n    sys.stderr.write('nothing to add\\n')\n    sys.exit(2)\n"
        "print(total(map(int, sys.argv[1:])))\n```\n"
        "sums.py\n```python\ndef total(numbers):\n    return sum(numbers)\n```\n",
        "main.py\n```python\nprint(3)\n```\nsums.py\n```python\n```\n",
        "```python\nprint(3)\n```",
    ),
    "ast_rules": (
        "def total(values):\n    return sum(values)\n",
        "def total(values):\n    return sum(v for v in values)\n",
        "sum(",
    ),
}


def kind(task: dict[str, Any]) -> str:
    evaluation = task["evaluation"]
    return str((evaluation[-1] if isinstance(evaluation, list) else evaluation)["type"])


def test_the_file_is_a_bank() -> None:
    assert [task.test_id for task in TaskBank.model_validate(BANK).tasks] == ["add-0001", "T002"]


def test_every_grader_has_an_example() -> None:
    graders = {member.model_fields["type"].annotation.__args__[0] for member in _members()}
    assert {kind(task) for task in TASKS} == graders
    assert graders - {"agrees", "reasoning_gym"} == set(ANSWERS)  # the latter needs a package


def _members() -> tuple[Any, ...]:
    members: tuple[Any, ...] = Evaluation.__origin__.__args__  # type: ignore[attr-defined]
    return members


@pytest.mark.parametrize("task", [task for task in TASKS if kind(task) in ANSWERS], ids=kind)
def test_the_examples_judge_as_it_says(task: dict[str, Any]) -> None:
    asked = StructuredTask.model_validate(task)
    sandbox = walled() if needs_sandbox(asked) else Unavailable("not needed")
    right, wrong, other = (judge(asked, answer, sandbox) for answer in ANSWERS[kind(task)])
    assert (right.passed, right.unparseable) == (True, False), right
    assert (wrong.passed, wrong.unparseable) == (False, False), wrong
    assert not other.passed


def test_the_solutions_are_solutions() -> None:
    task = next(task for task in TASKS if task["id"] == SOLUTIONS["solutions"][0]["id"])
    bank = TaskBank.model_validate(BANK | {"tasks": [task]})
    sandbox = walled()
    found = verify(
        bank,
        Solutions.model_validate(SOLUTIONS),
        lambda asked, answer: judge(asked, answer, sandbox),
    )
    assert [problems for _, problems in found] == [[]]


def test_every_construct_is_named() -> None:
    line = TEXT.partition("Constructs: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", line) == list(CONSTRUCTS)


def test_no_line_is_long() -> None:
    prose = re.sub("```json\n.*?```", "", TEXT, flags=re.S)
    table = [line for line in prose.splitlines() if not line.startswith("|")]
    assert max(map(len, table)) <= 110
