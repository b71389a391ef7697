"""The prompt of a structured task."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from task_forms import ADD, content, judged_by, structured

SECRET = "xyzzy-42"


def test_a_function_tasks_prompt_in_full() -> None:
    task = structured(
        description="never shown",
        problem="Two numbers are given.",
        instruction="Implement add(a, b).",
        constraints=["Do not print.", "Return a number."],
        function_signature="def add(a, b):",
        io_examples=[{"input": [2, None], "output": True}, {"input": "ab", "output": ["x"]}],
        evaluation=ADD,
        revision=7,
    )
    assert task.prompt == (
        "Two numbers are given.\n"
        "\n"
        "Implement add(a, b).\n"
        "\n"
        "Signature:\n"
        "def add(a, b):\n"
        "\n"
        "Constraints:\n"
        "- Do not print.\n"
        "- Return a number.\n"
        "\n"
        "Examples:\n"
        "- add(2, None) returns True\n"
        "- add('ab') returns ['x']\n"
        "\n"
        "Answer with one Python code block that defines `add` and all that it needs. "
        "Only the standard library is there."
    )


def test_parts_that_are_not_there_leave_no_trace() -> None:
    task = judged_by({"type": "contains", "all": ["x"]})
    assert task.prompt == task.instruction


def test_options_are_shown_in_the_banks_order() -> None:
    task = judged_by({"type": "choice", "options": {"B": "Rome", "A": "Paris"}, "expected": "A"})
    assert task.prompt.endswith("\n\nB) Rome\nA) Paris\n\nAnswer with one of B, A only.")


def test_a_program_of_several_files_is_asked_for_by_name() -> None:
    evaluation = {
        "type": "cli_examples",
        "artifact_paths": ["main.py", "pkg/a.py"],
        "examples": [{"expected_stdout": SECRET}],
    }
    prompt = judged_by(evaluation).prompt
    assert "`main.py`, `pkg/a.py`" in prompt
    assert "python main.py" in prompt


def test_an_example_without_a_function_is_shown_as_it_is() -> None:
    task = structured(io_examples=[{"input": "a b", "output": [1, None]}])
    assert "Examples:\n- input: a b\n  output: [1, null]" in task.prompt


@pytest.mark.parametrize(
    "evaluation",
    [
        {"type": "exact", "expected": SECRET},
        {"type": "json", "expected": {"k": SECRET}},
        {"type": "json_list", "expected": [SECRET]},
        {"type": "json_schema", "schema": {"const": SECRET}},
        {"type": "regex", "pattern": SECRET},
        {"type": "contains", "all": [SECRET], "any": [SECRET], "none": [SECRET]},
        ADD | {"examples": [{"args": [SECRET], "expected": SECRET}]},
        {"type": "cli_examples", "examples": [{"args": [SECRET], "expected_stdout": SECRET}]},
        {"type": "ast_rules", "require": {"names": [SECRET]}, "forbid": {"calls": [SECRET]}},
    ],
    ids=lambda evaluation: str(evaluation["type"]),
)
def test_what_judges_is_not_in_the_prompt(evaluation: dict[str, Any]) -> None:
    task = structured(
        evaluation=evaluation,
        description=SECRET,
        acceptance_contract={"mode": "function", "pass_conditions": [SECRET], "extra": SECRET},
    )
    assert SECRET not in task.prompt


def test_another_process_renders_the_same_bytes() -> None:
    """Hashes differ between processes; a prompt that followed them would not be one prompt."""
    task = content(
        evaluation={"type": "choice", "options": {"A": "x", "B": "y", "C": "z"}, "expected": "A"},
        io_examples=[{"input": {"b": 1, "a": [2]}, "output": "c"}],
    )
    code = (
        "import json, sys; from orket_lib.tasks.task import StructuredTask; "
        "sys.stdout.write(StructuredTask.model_validate(json.loads(sys.argv[1])).prompt)"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, json.dumps(task)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert other.stdout == structured(**task).prompt
