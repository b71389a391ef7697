"""The ladder's table, and what it calls a bank that can't tell quants apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import report, run
from quant_ladder import (
    Asked,
    Ladder,
    first_level_weaknesses,
    first_runs,
    table,
    third_level_weaknesses,
)

from orket_lib.vocabulary.statuses import Outcome


def ladder(right: Mapping[str, Mapping[tuple[str, int], int]], of: int = 10) -> Ladder:
    """Return runs of each quant, of which the first so many of each family and level are right."""
    return {
        quant: [
            run(
                100 * level + number,
                outcome=Outcome.PASS if number < passed else Outcome.FAIL,
                family=family,
            ).model_copy(update={"tier": level})
            for (family, level), passed in kinds.items()
            for number in range(of)
        ]
        for quant, kinds in right.items()
    }


def first_level(families: int, before: int, after: int) -> Ladder:
    kinds = [(f"family{number}", 1) for number in range(families)]
    return ladder({"F16": dict.fromkeys(kinds, before), "Q2_K": dict.fromkeys(kinds, after)})


def test_a_row_says_what_is_right_lost_and_won_of_a_family_and_a_level() -> None:
    kinds = {"F16": {("add", 1): 8, ("sort", 1): 5}, "Q2_K": {("add", 1): 4, ("sort", 1): 6}}
    assert list(table(ladder(kinds))) == [
        "| family | level | tasks | F16 | Q2_K | s |",
        "|---|--:|--:|--:|--:|--:|",
        "| add | 1 | 10 | 80 | 40 (-4 +0) | 0.3 |",
        "| sort | 1 | 10 | 50 | 60 (-0 +1) | 0.3 |",
        "| all | 1 | 20 | 65 | 50 (-4 +1) | 0.3 |",
    ]


def test_a_task_counts_once_though_the_baseline_repeats_some() -> None:
    once, again, other = run(1, 0), run(1, 1), run(2, 0)
    assert first_runs(report(test_runs=(once, other, again))) == [once, other]


@pytest.mark.parametrize(
    ("families", "before", "after", "discriminates"),
    [(6, 8, 7, True), (6, 8, 8, False), (5, 8, 0, False), (6, 4, 0, False)],
)
def test_the_first_level_is_mastered_and_lost(
    families: int, before: int, after: int, discriminates: bool
) -> None:
    asked = Asked(first_level(families, before, after), is_lost=False)
    assert (not list(first_level_weaknesses([asked], 60))) is discriminates


def test_a_last_quant_that_is_lost_needs_no_ten_points() -> None:
    asked = Asked(first_level(6, 8, 8), is_lost=True)
    assert not list(first_level_weaknesses([asked], 60))
    assert list(first_level_weaknesses([asked], 61))


def test_one_model_that_is_told_apart_suffices() -> None:
    models = [Asked(first_level(6, 1, 1), False), Asked(first_level(6, 8, 0), False)]
    assert not list(first_level_weaknesses(models, 60))


@pytest.mark.parametrize(("right", "said"), [(0, "no task"), (10, "every task")])
def test_a_family_that_all_models_fail_or_pass_is_named(right: int, said: str) -> None:
    kinds = {("add", 1): right, ("sort", 1): 5}
    alike, other = ladder({"F16": kinds}), ladder({"F16": kinds | {("add", 1): 9}})
    both = [Asked(alike, False), Asked(alike, False)]
    assert list(first_level_weaknesses(both, 60)) == [f"level 1: all models answer {said} of add"]
    assert not list(first_level_weaknesses([both[0], Asked(other, False)], 60))
    assert not list(first_level_weaknesses(both[:1], 60)), "one model says nothing about others"


def test_the_third_level_leaves_every_model_room() -> None:
    kinds = {(f"family{number}", 3): 2 for number in range(13)}
    still = ladder({"F16": kinds | {("family1", 3): 3}})
    assert not list(third_level_weaknesses([still]))
    other = ladder({"F16": kinds | {("family2", 3): 3}})
    assert list(third_level_weaknesses([still, other])) == [
        "level 3: more than 20% right in family1, family2"
    ]
    assert not list(third_level_weaknesses([ladder({"F16": {("add", 2): 9}})])), "it was not asked"
