"""Tasks in batches: complete, balanced, reproducible."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orket_lib.sweep.batches import batch_ends, batches_of, stratified, why_dropped


@dataclass(frozen=True)
class Task:
    """A task, as far as batches look at it."""

    test_id: str
    family: str
    tier: int


BANK = [
    Task(f"{family}-{tier}-{number}", family, tier)
    for family in ("add", "sort", "json", "count")
    for tier in (1, 2, 3)
    for number in range(14)
]


@pytest.mark.parametrize(
    ("tasks", "ends"),
    [
        (1, (1,)),
        (14, (14,)),
        (40, (40,)),
        (45, (45,)),
        (60, (40, 60)),
        (168, (40, 80, 168)),
        (400, (40, 80, 160, 320, 400)),
    ],
)
def test_each_batch_ends_at_twice_the_tasks_of_the_one_before(
    tasks: int, ends: tuple[int, ...]
) -> None:
    assert batch_ends(tasks) == ends


@given(st.integers(1, 5000))
def test_ends_ascend_to_all_tasks(tasks: int) -> None:
    ends = batch_ends(tasks)
    assert ends[-1] == tasks
    assert list(ends) == sorted(set(ends))


@given(st.permutations(BANK[:60]))
def test_every_task_is_in_one_batch_whatever_the_order_of_the_bank(tasks: list[Task]) -> None:
    batches = batches_of(tasks)
    assert [len(batch) for batch in batches] == [40, 20]
    assert sorted(task.test_id for batch in batches for task in batch) == sorted(
        task.test_id for task in tasks
    )
    assert batches == batches_of(BANK[:60])


@given(st.integers(0, 1000), st.integers(1, len(BANK)))
def test_every_beginning_has_each_family_and_level_in_its_share(seed: int, asked: int) -> None:
    """At most two tasks more or less than the share, for a family and for one of its levels."""
    beginning = stratified(BANK, str(seed))[:asked]
    families = Counter(task.family for task in beginning)
    levels = Counter((task.family, task.tier) for task in beginning)
    for family in ("add", "sort", "json", "count"):
        assert abs(families[family] - asked / 4) <= 1
        for tier in (1, 2, 3):
            assert abs(levels[family, tier] - asked / 12) <= 2


def test_another_seed_gives_other_batches() -> None:
    assert batches_of(BANK, seed="1") != batches_of(BANK, seed="2")


def test_an_added_family_leaves_the_order_within_the_others() -> None:
    more = [*BANK, *(Task(f"new-{number}", "new", 1) for number in range(20))]
    before, after = stratified(BANK), [task for task in stratified(more) if task.family != "new"]
    assert before == after


def test_a_receipt_says_why_a_batch_was_not_asked(tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    assert why_dropped(receipt) is None
    receipt.write_text(json.dumps({"dropped": None}), encoding="utf-8")
    assert why_dropped(receipt) is None
    receipt.write_text(json.dumps({"dropped": {"detail": "LOST"}}), encoding="utf-8")
    assert why_dropped(receipt) == "LOST"
