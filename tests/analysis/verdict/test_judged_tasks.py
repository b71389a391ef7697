"""Which tasks can judge."""

from __future__ import annotations

import random

import pytest

from orket_lib.analysis.verdict.judged_tasks import JudgedTask, tasks_that_judge


def tasks(family: str, count: int, level: str = "", bank: str = "bank") -> list[JudgedTask]:
    return [JudgedTask(f"{bank}-{family}{level}-{n}", bank, family, level) for n in range(count)]


def test_what_the_baseline_fails_does_not_count() -> None:
    asked = [*tasks("easy", 30), *tasks("hard", 30)]
    baseline = {task.task_id: float(task.family == "easy") for task in asked}
    judging = tasks_that_judge(asked, baseline)
    assert judging.counted == tuple(sorted(t.task_id for t in asked if t.family == "easy"))
    assert [(item.name, item.baseline, item.counted) for item in judging.strata] == [
        ("easy", 1.0, 30),
        ("hard", 0.0, 0),
    ]


def test_levels_of_a_family_are_told_apart() -> None:
    asked = [*tasks("sum", 10, "1"), *tasks("sum", 10, "2")]
    baseline = {task.task_id: float(task.level == "1") for task in asked}
    assert len(tasks_that_judge(asked, baseline).counted) == 10


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (
            [*tasks("a", 4, "1"), *tasks("a", 4, "2"), *tasks("a", 9, "3")],
            ["a/3", "a/other"],
        ),
        ([*tasks("a", 4), *tasks("b", 5), *tasks("c", 8)], ["c", "other"]),
        ([*tasks("a", 4, bank="one"), *tasks("a", 4, bank="two")], ["other"]),
        (
            [
                *(task for family in "ab" for task in tasks(family, 4, bank="one")),
                *tasks("a", 8, bank="two"),
                *tasks("b", 4, "1", bank="two"),
                *tasks("b", 4, "2", bank="two"),
            ],
            ["one/other", "two/a", "two/b/other"],
        ),
    ],
    ids=["by family", "by bank", "of all banks", "a bank never lends to another"],
)
def test_small_strata_are_pooled(asked: list[JudgedTask], names: list[str]) -> None:
    judging = tasks_that_judge(asked, {task.task_id: 1.0 for task in asked})
    assert [item.name for item in judging.strata] == names
    assert len(judging.counted) == len(asked)


def test_each_half_is_chosen_by_the_other() -> None:
    """Where just one half counts, it is the worse one: its own answers did not choose it."""
    asked = tasks("sum", 40)
    dice, halves = random.Random(0), 0
    for _ in range(100):
        baseline = {task.task_id: float(dice.random() < 0.5) for task in asked}
        counted = tasks_that_judge(asked, baseline).counted
        if len(counted) == 20:
            halves += 1
            chosen = sum(baseline[task] for task in counted) / 20
            others = sum(score for task, score in baseline.items() if task not in counted) / 20
            assert chosen < 0.5 <= others
    assert halves > 10


def test_t26_too_few_tasks_are_too_hard() -> None:
    asked = tasks("sum", 19)
    assert tasks_that_judge(asked, {task.task_id: 1.0 for task in asked}).too_hard
    asked = tasks("sum", 20)
    assert not tasks_that_judge(asked, {task.task_id: 1.0 for task in asked}).too_hard


def test_more_tasks_never_depend_on_their_order() -> None:
    asked = [*tasks("a", 9), *tasks("b", 12)]
    baseline = {task.task_id: float(n % 3 > 0) for n, task in enumerate(asked)}
    assert tasks_that_judge(asked, baseline) == tasks_that_judge(asked[::-1], baseline)
