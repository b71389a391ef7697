"""The banks that we ship: their solutions are right, and each task is an idea of its own."""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from mixed_bank import MIXED, mixed, written
from solution_shapes import shape
from task_forms import ROOT, walled

from orket_lib.tasks.bank import StructuredTask, Task, load_bank
from orket_lib.tasks.extraction import python_sources
from orket_lib.tasks.grading.code_evaluation import AstRules, CliExamples, FunctionExamples
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.grading.text_evaluation import JsonList
from orket_lib.tasks.solutions import Solution, Solutions, load_solutions, solutions_path, verify
from orket_lib.tasks.task import needs_sandbox

FOLDER = ROOT / "config" / "task_banks"
BANKS = sorted(path for path in FOLDER.glob("*.json") if solutions_path(path).exists())
each_bank = pytest.mark.parametrize("path", BANKS, ids=lambda path: path.stem)


def solutions_of(path: Path) -> dict[int | str, Solution]:
    return {one.id: one for one in load_solutions(solutions_path(path)).solutions}


@each_bank
def test_every_task_has_a_solution_and_wrong_answers(path: Path) -> None:
    bank, solutions = load_bank(path), solutions_of(path)
    assert [task.written_id for task in bank.tasks] == list(solutions)
    for task in bank.tasks:
        wrong = solutions[task.written_id].mutations
        assert len(set(wrong)) == len(wrong) >= (2 if needs_sandbox(task) else 1), task.test_id


@each_bank
def test_a_bank_has_tasks_for_weak_and_strong_models(path: Path) -> None:
    tiers = Counter(task.tier for task in load_bank(path).tasks)
    assert set(tiers) == {1, 2, 3, 4, 5, 6}
    assert min(tiers.values()) >= tiers.total() / 20


@each_bank
def test_code_is_judged_by_four_examples_or_more(path: Path) -> None:
    for task in load_bank(path).tasks:
        for asked in task.evaluations:
            if isinstance(asked, FunctionExamples | CliExamples):
                assert len(asked.examples) >= 4, task.test_id


def test_real_work_is_judged_by_four_expected_values_or_more() -> None:
    """Each of them for an input of its own: an example of code, or an element of a list."""
    tasks = load_bank(FOLDER / "realworld.json").tasks
    judged = {
        task.test_id: sum(
            len(asked.expected) if isinstance(asked, JsonList) else len(asked.examples)
            for asked in task.evaluations
            if isinstance(asked, FunctionExamples | CliExamples | JsonList)
        )
        for task in tasks
    }
    assert [name for name, number in judged.items() if number < 4] == []
    assert len(judged) == len(tasks) >= 80


@each_bank
def test_examples_are_judged_that_nobody_has_seen(path: Path) -> None:
    for task in load_bank(path).tasks:
        for asked in task.evaluations:
            if isinstance(asked, FunctionExamples):
                assert isinstance(task, StructuredTask)
                shown = [
                    list(one.input) if isinstance(one.input, list) else [one.input]
                    for one in task.io_examples
                ]
                hidden = [one for one in asked.examples if list(one.call.arguments) not in shown]
                assert len(hidden) >= 3, task.test_id


@each_bank
def test_no_two_tasks_ask_the_same(path: Path) -> None:
    prompts = Counter(task.prompt for task in load_bank(path).tasks)
    assert max(prompts.values()) == 1


# The answers of a model that does nothing: no words, words, code and data without content.
EMPTY = ("", "I like trains.", "pass", "```python\npass\n```", "{}", "[]", "```json\n{}\n```")
# A program with nothing to print is right about an input that asks for nothing.
SILENT = {"cli-0023", "cli-0034", "state_machines-0117", "state_machines-0124", "protocols-0146"}


@pytest.mark.slow
@pytest.mark.parametrize("answer", EMPTY, ids=ascii)
@pytest.mark.parametrize(
    "path", [*BANKS, FOLDER / "mixed.json", FOLDER / "reference.json"], ids=lambda path: path.stem
)
def test_nothing_is_earned_by_saying_nothing(path: Path, answer: str) -> None:
    tasks, sandbox = load_bank(path).tasks, walled()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        gradings = list(pool.map(lambda task: judge(task, answer, sandbox), tasks))
    assert not any(grading.passed for grading in gradings)
    assert fmean(grading.adherence or 0 for grading in gradings) < 0.01
    if path.stem == "realworld":
        scored = {task.test_id for task, one in zip(tasks, gradings, strict=True) if one.adherence}
        assert scored <= SILENT


def test_a_list_without_content_earns_nothing() -> None:
    asked = [
        (task, one)
        for task in load_bank(FOLDER / "realworld.json").tasks
        for one in task.evaluations
        if isinstance(one, JsonList)
    ]
    assert len(asked) >= 25
    empty: tuple[Any, ...] = ({}, [], None, 0, "", {"tool": "", "arguments": {}})
    for task, one in asked:
        for content in empty:
            answer = json.dumps([content] * len(one.expected))
            assert judge(task, answer).adherence == 0, (task.test_id, content)


@pytest.mark.slow
@each_bank
def test_right_answers_pass_and_wrong_ones_fail(path: Path) -> None:
    bank, solutions = load_bank(path), solutions_of(path)
    sandbox = walled()

    def problems(task: Task) -> list[str]:
        alone = bank.model_copy(update={"tasks": (task,)})
        theirs = Solutions(
            schema_version="orket.task_solutions.v1", solutions=(solutions[task.written_id],)
        )
        ((_, found),) = verify(alone, theirs, partial(judge, sandbox=sandbox))
        return [f"{task.test_id}: {problem}" for problem in found]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        assert [problem for found in pool.map(problems, bank.tasks) for problem in found] == []


def test_no_two_solutions_have_one_shape() -> None:
    by_shape: dict[str, list[str]] = {}
    for path in BANKS:
        solutions = solutions_of(path)
        for task in load_bank(path).tasks:
            if any(
                isinstance(one, FunctionExamples | CliExamples | AstRules)
                for one in task.evaluations
            ):
                answer = solutions[task.written_id].reference_solution
                found = shape(python_sources(answer, task.evaluations))
                by_shape.setdefault(found, []).append(f"{path.stem} {task.test_id}")
    assert [tasks for tasks in by_shape.values() if len(tasks) > 1] == []


def test_names_and_constants_are_no_difference_of_shape() -> None:
    one = "def f(a: int) -> int:\n    global n\n    return a.real + g(b=1)\n"
    other = "def g(x):\n    global m\n    return x.imag + f(c='1')\n"
    assert shape({"a.py": one}) == shape({"b.py": other})
    assert shape({"a.py": one}) != shape({"a.py": one.replace("+", "-")})
    assert shape({"a.py": one}) != shape({"a.py": one.replace("b=1", "b=1, d=1")})


def test_real_work_is_functions_text_programs_and_calls_of_tools() -> None:
    bank = load_bank(FOLDER / "realworld.json")
    families = Counter(task.family for task in bank.tasks)
    assert min(families["coding"], families["text_tools"], families["cli"]) >= 12
    assert families["tool_use"] >= 15 and families["extraction"] >= 8
    several = [
        task
        for task in bank.tasks
        for asked in task.evaluations
        if isinstance(asked, CliExamples) and len(asked.paths) > 1
    ]
    assert len(several) >= 4


def test_mixed_is_the_selection_that_the_documents_describe() -> None:
    assert MIXED.read_text(encoding="utf-8") == written(mixed())
    tasks = load_bank(MIXED).tasks
    assert Counter(task.tier for task in tasks) == dict.fromkeys(range(1, 7), 10)
    of = Counter(next(p.stem for p in BANKS if has_prompt(p, task)) for task in tasks)
    assert of == {"realworld": 30, "logic": 18, "refactor": 12}
    assert len({task.family for task in tasks}) == len(
        {task.family for path in BANKS for task in load_bank(path).tasks}
    )


def has_prompt(path: Path, task: Task) -> bool:
    return any(one.prompt == task.prompt for one in load_bank(path).tasks)


def test_the_reference_bank_needs_no_sandbox() -> None:
    assert not any(map(needs_sandbox, load_bank(FOLDER / "reference.json").tasks))
