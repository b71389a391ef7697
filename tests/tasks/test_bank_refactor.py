"""The refactoring bank: the code that is to be improved is itself an answer that must fail."""

from __future__ import annotations

from statistics import fmean

import pytest
from task_forms import ROOT, walled

from orket_lib.tasks.bank import StructuredTask, load_bank
from orket_lib.tasks.extraction import blocks_of
from orket_lib.tasks.grading.code_evaluation import AstRules
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.solutions import load_solutions, solutions_path

BANK = ROOT / "config" / "task_banks" / "refactor.json"
TASKS = load_bank(BANK).tasks
SOLUTIONS = {one.id: one for one in load_solutions(solutions_path(BANK)).solutions}
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.test_id)


@each_task
def test_the_given_code_is_the_first_wrong_answer(task: StructuredTask) -> None:
    (given,) = blocks_of(task.problem)
    (answered,) = blocks_of(SOLUTIONS[task.written_id].mutations[0])
    assert given == answered


@pytest.mark.slow
def test_code_that_is_handed_back_unchanged_never_passes() -> None:
    sandbox = walled()
    gradings = [judge(task, SOLUTIONS[task.written_id].mutations[0], sandbox) for task in TASKS]
    assert not any(grading.passed for grading in gradings)
    assert fmean(grading.adherence or 0 for grading in gradings) < 0.8


@each_task
def test_rules_for_the_code_are_told(task: StructuredTask) -> None:
    assert isinstance(task, StructuredTask)
    for rules in task.evaluations:
        if isinstance(rules, AstRules):
            stated = "\n".join([task.instruction, *task.constraints])
            named = {
                name.lstrip(".").rpartition(".")[2]
                for side in (rules.require, rules.forbid)
                for name in (*side.imports, *side.calls, *side.names, *side.definitions)
            }
            assert {name for name in named if f"{name}`" not in stated} == set()
            limits = rules.limits.model_dump(exclude_none=True).values()
            assert all(f"more than {limit} " in stated or limit == 1 for limit in limits)
