"""Tasks of a bank that can't judge are found: repeated, ambiguous, given away, worded alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from task_forms import ROOT, content

from orket_lib.artifacts.io import write_json
from orket_lib.cli import main
from orket_lib.tasks.bank import TaskBank, load_bank
from orket_lib.tasks.bank_problems import bank_findings


def bank_of(*tasks: dict[str, Any]) -> TaskBank:
    return TaskBank.model_validate(
        {
            "schema_version": "orket.task_bank.v1",
            "bank_id": "x",
            "tasks": [content(id=number, **task) for number, task in enumerate(tasks, 1)],
        }
    )


def found(*tasks: dict[str, Any]) -> list[str]:
    return [finding.text for finding in bank_findings(bank_of(*tasks))]


def number(expected: int) -> dict[str, Any]:
    return {"type": "number", "expected": expected}


def test_a_plain_bank_has_no_findings() -> None:
    assert found({}, {"instruction": "What is 2 + 3?", "evaluation": number(5)}) == []


def test_the_same_task_twice_is_found() -> None:
    assert found({}, {"instruction": "Write  the word stone."}) == [
        "general-0001, general-0002: the same task"
    ]


def test_the_same_prompt_with_other_tools_is_another_task() -> None:
    def offering(name: str) -> dict[str, Any]:
        tool = {"name": name, "description": "Do it.", "parameters": {"type": "object"}}
        return {"instruction": "Do it.", "tools": [tool]}

    assert found(offering("a"), offering("b")) == []
    assert found(offering("a"), offering("a")) == ["general-0001, general-0002: the same task"]


def test_one_prompt_with_two_answers_is_found() -> None:
    asked = {"instruction": "How many are there?"}
    assert found({**asked, "evaluation": number(4)}, {**asked, "evaluation": number(5)}) == [
        "general-0001, general-0002: the same prompt with different answers or graders"
    ]


def test_options_with_one_text_are_found() -> None:
    options = {"A": "Rome", "B": "Bonn", "C": "rome"}
    (finding,) = found({"evaluation": {"type": "choice", "options": options, "expected": "A"}})
    assert finding == "general-0001: ambiguous: options A and C have the same text"


@pytest.mark.parametrize(
    ("instruction", "evaluation"),
    [
        ("What is 2 + 3? (Answer: 5)", number(5)),
        ("How many? The correct answer is 5, and not 6.", number(5)),
        ("How many of the 5 apples are apples?", number(5)),
        ("Write it: stone", {"type": "exact", "expected": "stone"}),
    ],
)
def test_a_prompt_that_gives_its_answer_away_is_warned_of(
    instruction: str, evaluation: dict[str, Any]
) -> None:
    bank = bank_of({"instruction": instruction, "evaluation": evaluation})
    (finding,) = bank_findings(bank)
    assert finding.is_warning
    assert finding.text.startswith("general-0001: the prompt says the answer")


def test_a_task_that_asks_for_a_copy_does_not_give_its_answer_away() -> None:
    copied = {"type": "exact", "expected": "old stone"}
    assert found({"problem": "old stone", "instruction": "Copy it.", "evaluation": copied}) == []
    (finding,) = found({"instruction": "Copy it: old stone", "evaluation": copied})
    assert "the prompt says the answer" in finding


def test_a_family_with_one_template_is_warned_of() -> None:
    tasks = [
        {"instruction": f"How much is {one} + 3?", "evaluation": number(one + 3)}
        for one in range(10, 18)
    ]
    (finding,) = bank_findings(bank_of(*tasks))
    assert finding.is_warning
    assert finding.text.startswith("family general: all 8 prompts are worded alike")
    assert bank_findings(bank_of(*tasks[1:])) == ()
    other = {"instruction": "Add 3 to 9.", "evaluation": number(12)}
    assert bank_findings(bank_of(*tasks, other)) == ()


@pytest.mark.parametrize("name", ["general", "logic"])
def test_the_shipped_banks_can_judge(name: str) -> None:
    assert bank_findings(load_bank(ROOT / f"config/task_banks/{name}.json")) == ()


def test_problems_are_an_error_and_warnings_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bank.json"
    write_json(path, [content(id=1), content(id=2)])
    assert main(["tasks", "validate", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{path}: 2 tasks, 1 problem\n"
    assert err == f"{path}: problem: general-0001, general-0002: the same task\n"
    write_json(path, [content(id=1, instruction="Write it: stone")])
    assert main(["tasks", "validate", str(path)]) == 0
    assert "warning: general-0001: the prompt says the answer 'stone'" in capsys.readouterr().err
