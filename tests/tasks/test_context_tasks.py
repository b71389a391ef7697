"""Tasks that fill a context: the same for everybody, and judged like others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.spec import ContextFill
from orket_lib.tasks.context_tasks import ContextQuestion, context_selection, context_tasks
from orket_lib.tasks.grading.graders import grade

# Of the prompts below, with 100 sentences each. A change needs another `CONTEXT_CONTRACT`.
GOLDEN = "ccefd165c601"


def fill(**changes: Any) -> ContextFill:
    values: dict[str, Any] = {
        "share": 0.85,
        "families": ("retrieval", "reasoning"),
        "depths": (0.0, 0.5, 1.0),
        "tasks_per_depth": 2,
    }
    return ContextFill(**(values | changes))


def test_the_prompts_are_the_same_in_every_version() -> None:
    prompts = [task.prompt_of(100) for task in context_tasks(fill(), 4096, 7)]
    assert sha256_of(prompts)[:12] == GOLDEN


def test_every_family_is_asked_at_every_depth() -> None:
    tasks = context_tasks(fill(), 4096, 7)
    assert [task.id for task in tasks] == list(range(1, 13))
    assert [task.family for task in tasks[::2]] == [
        *("retrieval@0.00", "retrieval@0.50", "retrieval@1.00"),
        *("reasoning@0.00", "reasoning@0.50", "reasoning@1.00"),
    ]
    assert tasks[0].test_id == "retrieval@0.00-0001"


@pytest.mark.parametrize(("depth", "place"), [(0.0, 0), (0.25, 25), (0.5, 50), (1.0, 100)], ids=str)
def test_what_is_hidden_lies_at_its_depth(depth: float, place: int) -> None:
    (task,) = context_tasks(
        fill(families=("retrieval",), depths=(depth,), tasks_per_depth=1), 4096, 7
    )
    lines = task.prompt_of(100).removeprefix("Text: ").split(". ")
    assert lines[place] == f"* {task.expected} *"
    assert len(lines) == 102  # with the hidden one and the question
    assert task.expected not in " ".join(lines[:place] + lines[place + 1 :])


def test_a_longer_text_begins_with_the_same_sentences() -> None:
    (task,) = context_tasks(
        fill(families=("retrieval",), depths=(1.0,), tasks_per_depth=1), 4096, 7
    )
    short, longer = task.prompt_of(10).split(". ")[:10], task.prompt_of(50).split(". ")[:10]
    assert short == longer


def test_the_sum_of_both_numbers_is_asked() -> None:
    for task in context_tasks(fill(families=("reasoning",)), 4096, 7):
        numbers = [int(found) for found in re.findall(r"\* (\d+) \*", task.prompt_of(40))]
        assert len(numbers) == 2
        assert sum(numbers) == task.expected
        assert all(check.passed for check in grade(task, f"{task.expected}"))
        assert not any(check.passed for check in grade(task, f"{task.expected + 1}"))


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("{}", True),
        ("The word is **{}**.", True),
        ("_{}_", True),
        ("white", False),
        ("the lamp", False),
    ],
)
def test_a_word_counts_in_whatever_sentence_it_is_given(answer: str, passed: bool) -> None:
    (task,) = context_tasks(
        fill(families=("retrieval",), depths=(0.5,), tasks_per_depth=1), 4096, 7
    )
    said = answer.format(task.expected.capitalize())
    assert [check.passed for check in grade(task, said)] == [passed]


@pytest.mark.parametrize("inside", ["{}s stand there", "ap{}s", "{0}{0}", "2{}"])
def test_a_word_inside_of_another_one_is_not_found(inside: str) -> None:
    for task in context_tasks(fill(families=("retrieval",)), 4096, 7):
        assert [check.passed for check in grade(task, inside.format(task.expected))] == [False]


@pytest.mark.parametrize(
    "other",
    [
        context_tasks(fill(), 4096, 8),
        context_tasks(fill(), 8192, 7),
        context_tasks(fill(depths=(0.0, 0.5, 0.9)), 4096, 7),
        context_tasks(fill(tasks_per_depth=3), 4096, 7),
        context_tasks(fill(families=("retrieval",)), 4096, 7),
    ],
    ids=["seed", "context", "depths", "tasks", "families"],
)
def test_whatever_is_asked_is_in_its_identity(other: tuple[ContextQuestion, ...]) -> None:
    same = context_selection(context_tasks(fill(), 4096, 7), fill())
    assert context_selection(other, fill()) != same


def test_how_far_a_context_is_filled_is_in_what_is_sent() -> None:
    tasks = context_tasks(fill(), 4096, 7)
    keys = [context_selection(tasks, fill(share=share)).keys for share in (0.5, 0.85)]
    assert not set(keys[0]) & set(keys[1])


def test_without_a_seed_they_are_the_same_every_time_too() -> None:
    assert context_tasks(fill(), 4096, None) == context_tasks(fill(), 4096, 0)


@pytest.mark.parametrize(("context", "tokens"), [(256, 208), (512, 435), (65536, 55705)])
def test_a_small_context_keeps_room_for_an_answer(context: int, tokens: int) -> None:
    assert fill().prompt_tokens(context) == tokens
