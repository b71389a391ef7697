"""Reference solutions: what they prove, and how it shows when they don't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from task_forms import content

from orket_lib.artifacts.io import write_json
from orket_lib.tasks.bank import TaskBank, load_bank, selection
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.solutions import Solutions, load_solutions, solutions_path, verify
from orket_lib.vocabulary.errors import ArtifactError

GOOD = {"id": 1, "reference_solution": "stone", "mutations": ["Stone", "enots"]}


def bank(*tasks: dict[str, Any]) -> TaskBank:
    return TaskBank(
        schema_version="orket.task_bank.v1",
        bank_id="bank",
        tasks=tasks,
    )


def solutions(*given: dict[str, Any]) -> Solutions:
    return Solutions.model_validate(
        {"schema_version": "orket.task_solutions.v1", "solutions": given}
    )


def problems(tasks: TaskBank, *given: dict[str, Any]) -> list[list[str]]:
    return [found for _, found in verify(tasks, solutions(*given), judge)]


def test_a_solution_that_passes_and_mutations_that_fail_are_as_it_should_be() -> None:
    assert problems(bank(content()), GOOD) == [[]]


@pytest.mark.parametrize(
    ("solution", "said"),
    [
        ({"reference_solution": "rock"}, "the reference solution fails exact: expected 'stone'"),
        ({"mutations": []}, "no mutation"),
        ({"mutations": ["rock", " stone "]}, "mutation 2 passes every check"),
    ],
    ids=str,
)
def test_what_proves_nothing_is_told(solution: dict[str, Any], said: str) -> None:
    ((problem,),) = problems(bank(content()), GOOD | solution)
    assert problem.startswith(said)


def test_a_task_without_a_solution_and_a_solution_without_a_task_are_told() -> None:
    two = bank(content(id=1), content(id="T2"))
    assert problems(two, GOOD) == [[], ["no reference solution"]]
    assert problems(two, GOOD, GOOD | {"id": "T2"}) == [[], []]
    assert problems(two, GOOD, GOOD | {"id": 2}) == [
        ["a solution for 2, which is no task"],
        ["no reference solution"],
    ]
    assert problems(bank(content()), GOOD, GOOD) == [["two solutions for one task"]]


def test_what_could_not_be_run_is_not_proved() -> None:
    evaluation = {"type": "function_examples", "function_name": "f", "examples": [{"expected": 1}]}
    ((problem,),) = problems(bank(content(evaluation=evaluation)), GOOD)
    assert problem == "not run: no sandbox: none was given"


def test_solutions_lie_beside_the_bank_and_are_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    write_json(path, [content()])
    before = load_bank(path)
    path_of_solutions = solutions_path(path)
    assert path_of_solutions == tmp_path / "mine.solutions.json"
    write_json(path_of_solutions, solutions(GOOD).model_dump(mode="json"))
    after = load_bank(path)
    assert load_solutions(path_of_solutions) == solutions(GOOD)
    assert selection(before, before.tasks) == selection(after, after.tasks)
    assert "enots" not in after.tasks[0].prompt


@pytest.mark.parametrize(
    "broken",
    [
        {"schema_version": "orket.task_solutions.v2", "solutions": [GOOD]},
        {"schema_version": "orket.task_solutions.v1", "solutions": []},
        {"schema_version": "orket.task_solutions.v1", "solutions": [GOOD | {"hint": "x"}]},
        [GOOD],
    ],
    ids=range(4),
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, broken: Any) -> None:
    path = tmp_path / "x.solutions.json"
    write_json(path, broken)
    with pytest.raises(ArtifactError, match="not a valid Solutions"):
        load_solutions(path)
