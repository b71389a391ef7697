"""`orket tasks`: what is printed, where, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from task_forms import ADD, ROOT, content, walled

from orket_lib.artifacts.io import write_json
from orket_lib.cli import main
from orket_lib.tasks.bank import load_bank
from orket_lib.tasks.generators.bank import SHIPPED

REFERENCE = ROOT / "config" / "task_banks" / "reference.json"


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.json"
    tasks = [
        content(id="T001", category="Words", description="A word."),
        content(
            id="T002",
            tier=3,
            instruction="Implement add(a, b).",
            constraints=["Do not print."],
            evaluation=[ADD, {"type": "ast_rules", "forbid": {"imports": ["os"]}}],
            acceptance_contract={"mode": "function", "hint": "for people"},
        ),
    ]
    write_json(path, tasks)
    return path


def test_good_banks_are_valid(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "validate", str(bank), str(REFERENCE)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{bank}: 2 tasks, no problems",
        f"{REFERENCE}: 168 tasks, no problems",
    ]
    assert all(line.startswith(f"{REFERENCE}: warning: ") for line in err.splitlines())


def test_a_shipped_bank_is_named_by_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "list", "general"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == SHIPPED + 1  # its heading


def test_a_bank_is_generated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hard.json"
    wanted = ["-n", "12", "--levels", "3-6", "--families", "units", "dates", "--seed", "7"]
    assert main(["tasks", "generate", "--out", str(path), *wanted]) == 0
    assert capsys.readouterr().out == f"{path}: 12 tasks\n"
    tasks = load_bank(path).tasks
    assert {task.family for task in tasks} == {"units", "dates"}
    assert {task.tier for task in tasks} == {3, 4, 5, 6}


def test_all_problems_of_all_banks_are_said(
    tmp_path: Path, bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    write_json(bad, [content(tier=9), content(id=2, instruction="")])
    assert main(["tasks", "validate", str(bad), str(tmp_path / "no.json"), str(bank)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{bank}: 2 tasks, no problems\n"
    assert f"{bad}: not a valid TaskBank" in err
    assert "tasks.0.tier" in err
    assert "tasks.1.instruction" in err
    assert "no.json: there is no such file" in err


def test_one_mistake_of_forty_tasks_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    write_json(bad, [content(id=number, tier=9) for number in range(1, 41)])
    assert main(["tasks", "validate", str(bad)]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "tier" in line]
    assert line.startswith("  tasks.0.tier (id 1), tasks.1.tier (id 2), ")
    assert line.endswith(" (got 9)")
    assert "tasks.39.tier (id 40): " in line


def test_a_list_says_how_a_task_is_judged(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "list", str(bank)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["id", "number", "tier", "category", "graders", "checks"],
        ["T001", "1", "1", "words", "exact", "1"],
        ["T002", "2", "3", "general", "function_examples+ast_rules", "3"],
    ]


def test_a_list_can_be_json(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "list", str(bank), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["tasks"]
    assert listed[1] == {
        "id": "T002",
        "number": 2,
        "test_id": "T002",
        "tier": 3,
        "category": "general",
        "graders": ["function_examples", "ast_rules"],
        "checks": 3,
    }


def test_a_task_is_shown_with_its_prompt_and_what_judges_it(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "show", str(bank), "T002"]) == 0
    out = capsys.readouterr().out
    prompt = load_bank(bank).tasks[1].prompt
    assert f"\n\n--- prompt ---\n{prompt}\n--- end of prompt ---\n\n" in out
    assert "function_examples.1, function_examples.2" in out
    assert '"imports": [' in out
    assert '"hint": "for people"' in out.partition("not scored")[2]


def test_a_question_is_shown_by_its_number_or_its_test_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["tasks", "show", str(REFERENCE), "1"]) == 0
    by_number = capsys.readouterr().out
    assert main(["tasks", "show", str(REFERENCE), "sort-0001"]) == 0
    assert capsys.readouterr().out == by_number
    assert "Sort this list" in by_number


def test_a_task_that_there_is_not_is_one_clear_error(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "show", str(bank), "\x1b[2J"]) == 1
    err = capsys.readouterr().err
    assert "no task '\\x1b[2J'; it has T001 to T002" in err


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202e\x00\r\x9b31m"


def test_nothing_in_a_bank_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bank.json"
    write_json(path, [content(instruction=HOSTILE, description=HOSTILE, constraints=[HOSTILE])])
    assert main(["tasks", "show", str(path), "1"]) == 0
    assert main(["tasks", "list", str(path)]) == 0
    write_json(path, [content(**{HOSTILE: 1, "tier": HOSTILE, "id": HOSTILE})])
    assert main(["tasks", "validate", str(path)]) == 1
    out, err = capsys.readouterr()
    for line in (out + err).split("\n"):
        assert line.isprintable(), ascii(line)


def test_solutions_are_verified_in_a_sandbox(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walled()
    solutions = bank.with_name("bank.solutions.json")
    word: dict[str, Any] = {"id": "T001", "reference_solution": "stone", "mutations": ["rock"]}
    add: dict[str, Any] = {
        "id": "T002",
        "reference_solution": "def add(a, b):\n    return a + b\n",
        "mutations": ["def add(a, b):\n    return a - b\n"],
    }
    kind = "orket.task_solutions.v1"
    write_json(solutions, {"schema_version": kind, "solutions": [word, add]})
    assert main(["tasks", "verify", str(bank)]) == 0
    out, err = capsys.readouterr()
    assert out == f"{bank}: 2 of 2 tasks verified\n"
    assert err.startswith("sandbox: ")

    add["mutations"] = [add["reference_solution"]]
    write_json(solutions, {"schema_version": kind, "solutions": [word, add]})
    assert main(["tasks", "verify", str(bank)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "T002: mutation 1 passes every check",
        f"{bank}: 1 of 2 tasks verified",
    ]


def test_a_bank_without_solutions_can_not_be_verified(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "verify", str(bank)]) == 1
    assert "bank.solutions.json: there is no such file" in capsys.readouterr().err


def test_a_sandbox_that_there_is_not_is_one_clear_error(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = {"id": "T001", "reference_solution": "stone"}
    write_json(
        bank.with_name("bank.solutions.json"),
        {"schema_version": "orket.task_solutions.v1", "solutions": [solution]},
    )
    assert main(["tasks", "verify", str(bank), "--sandbox", "box"]) == 1
    assert capsys.readouterr().err.startswith("error: no sandbox `box`; there are bubblewrap")


def test_a_table_becomes_a_bank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "rows.csv", tmp_path / "new" / "mine.json"
    table.write_text("prompt,answer,grader\n2 + 3?,5,number\n", encoding="utf-8")
    assert main(["tasks", "import", str(table), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: 1 task\n"
    assert said.err.startswith("seen: CSV; columns: prompt, answer, grader\nread as: prompts from")
    made = load_bank(out)
    assert (made.bank_id, made.tasks[0].prompt) == ("mine", "2 + 3?")

    table.write_text("q,a\n3 + 3?,6\n", encoding="utf-8")
    assert main(["tasks", "import", str(table), "--out", str(out)]) == 1
    assert "no column looks like a prompt; type --map" in capsys.readouterr().err
    assert load_bank(out) == made

    words = ["tasks", "import", str(table), "--out", str(out), "--map", "prompt=q"]
    assert main([*words, "--map", "answer=a", "--grader", "exact", "--bank-id", "other"]) == 0
    made = load_bank(out)
    assert (made.bank_id, made.tasks[0].prompt) == ("other", "3 + 3?")
    assert made.tasks[0].evaluations[0].type == "exact"


def test_an_imported_bank_of_any_shape_is_read_again_as_it_was(tmp_path: Path) -> None:
    rows = {
        "agrees": {"prompt": "Hi."},
        "function_examples": {"text": "f", "test_list": ["assert f(1) == (1,)", "assert f(2)"]},
        "choice": {"question": "Q?", "choices": ["a", "b"], "answer": 1},
        "json": {"prompt": "Null?", "answer": 0, "grader": "json"},
    }
    for grader, row in rows.items():
        table, out = tmp_path / f"{grader}.jsonl", tmp_path / f"{grader}.json"
        table.write_text(json.dumps(row), encoding="utf-8")
        assert main(["tasks", "import", str(table), "--out", str(out)]) == 0
        (task,) = load_bank(out).tasks
        assert [one.type for one in task.evaluations] == [grader]
        assert main(["tasks", "validate", str(out)]) == 0


@pytest.mark.parametrize(
    "words",
    [["tasks"], ["tasks", "check"], ["tasks", "show", "x"], ["tasks", "import", "x"]]
    + [
        ["tasks", "import", "x.csv", "--out", "y", *more]
        for more in (["--map", "q"], ["--grader", "x"])
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_an_import_does_not_overwrite_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "mine.jsonl"
    table.write_text('{"prompt": "1 + 1?", "answer": 2}\n')
    assert main(["tasks", "import", str(table), "--out", str(table)]) == 1
    assert "is the file to import; name another one" in capsys.readouterr().err
    assert table.read_text() == '{"prompt": "1 + 1?", "answer": 2}\n'


@pytest.mark.parametrize("levels", ["a", "", "3-1"])
def test_levels_that_are_none_are_said(levels: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tasks", "generate", "--out", "bank.json", f"--levels={levels}"])
    assert f"must be a level or two, such as 2 or 1-3, got {levels!r}" in capsys.readouterr().err
