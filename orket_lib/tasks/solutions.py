"""Reference solutions of a bank, which verify its graders: right answers pass, wrong ones fail.

They are in a file of their own, `<name>.solutions.json`, so that a selection's identity doesn't
depend on them and no prompt can contain them. A solution is a whole answer and is graded like one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictInt

from orket_lib.artifacts.io import read_model
from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.grading.graders import Grading
from orket_lib.tasks.grading.text_evaluation import Strict, Text
from orket_lib.tasks.task import Task, is_graded

Judge = Callable[[Task, str], Grading]


class Solution(Strict):
    """Answers to one task."""

    id: StrictInt | Text = Field(description="id of the task, as in the bank")
    reference_solution: Text
    mutations: tuple[Text, ...] = Field((), description="answers that look right and are wrong")


class Solutions(Strict):
    """A file of solutions."""

    schema_version: Literal["orket.task_solutions.v1"]
    solutions: tuple[Solution, ...] = Field(min_length=1)


def solutions_path(bank: Path) -> Path:
    """Return the path of a bank's solutions."""
    return bank.with_name(f"{bank.stem}.solutions.json")


def load_solutions(path: Path) -> Solutions:
    """Load the solutions of a bank.

    Raises:
        ArtifactError: The file is missing, not JSON, or not a file of solutions.
    """
    return read_model(path, Solutions)


def verify(bank: TaskBank, solutions: Solutions, judge: Judge) -> Iterator[tuple[Task, list[str]]]:
    """Yield each task with its problems, if any.

    Problems of the file of solutions itself are listed with the first task.

    Args:
        bank: The tasks.
        solutions: Their solutions.
        judge: Grades an answer.
    """
    known = {task.written_id for task in bank.tasks}
    by_id = {one.id: one for one in solutions.solutions}
    unknown = [f"a solution for {one!r}, which is no task" for one in by_id if one not in known]
    if len(by_id) < len(solutions.solutions):
        unknown.append("two solutions for one task")
    for task in bank.tasks:
        found = by_id.get(task.written_id)
        problems = _problems(task, found, judge) if found else _no_solution(task)
        yield task, [*unknown, *problems]
        unknown = []


def _no_solution(task: Task) -> list[str]:
    """Return the problem of a task without a solution; one without a right answer needs none."""
    return ["no reference solution"] if is_graded(task) else []


def _problems(task: Task, solution: Solution, judge: Judge) -> list[str]:
    grading = judge(task, solution.reference_solution)
    if grading.not_run is not None:
        return [f"not run: {grading.not_run}"]
    if grading.ungraded:
        return ["a solution of a task whose answers are not graded (grader `agrees`)"]
    problems = [
        f"the reference solution fails {check.name}: {check.detail}"
        for check in grading.checks
        if not check.passed
    ]
    if not solution.mutations:
        problems.append("no mutation: nothing shows that a wrong answer fails")
    for number, mutation in enumerate(solution.mutations, start=1):
        grading = judge(task, mutation)
        if grading.not_run is not None:
            problems.append(f"mutation {number} was not run: {grading.not_run}")
        elif grading.passed:
            problems.append(f"mutation {number} passes every check")
    return problems
