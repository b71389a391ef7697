"""The logic bank: every kind of question in every tier, and what its programs really print."""

from __future__ import annotations

import subprocess
import sys

import pytest
from task_forms import ROOT

from orket_lib.tasks.bank import StructuredTask, load_bank
from orket_lib.tasks.extraction import blocks_of

TASKS = load_bank(ROOT / "config" / "task_banks" / "logic.json").tasks
READING = [task for task in TASKS if task.family == "code_reading"]


def test_each_of_eleven_kinds_has_each_tier_once() -> None:
    places = [(task.family, task.tier) for task in TASKS]
    assert len(places) == len(set(places)) == 66
    assert {tier for _, tier in places} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("task", READING, ids=lambda task: task.test_id)
def test_a_program_prints_what_is_expected(task: StructuredTask) -> None:
    (block,) = blocks_of(task.problem)
    command = [sys.executable, "-I", "-c", block.text]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    (asked,) = task.evaluations
    assert asked.type in ("number", "exact")
    assert printed.stdout == f"{asked.expected}\n"
