"""Which quants are dropped between batches of tasks, and with which certainty."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.judged_tasks import JudgedTask
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.looks import EARLY, LookPolicy, certain_at, look, too_hard
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.vocabulary.statuses import DropReason, Prefer, QuantVerdict

TASKS = [JudgedTask(f"t{number}", "", "family") for number in range(168)]


def scores(asked: int, wrong: int = 0) -> dict[str, float]:
    """Return the scores of the first tasks; some of them are wrong."""
    return {f"t{number}": float(number >= wrong) for number in range(asked)}


def looked(
    quants: dict[str, Any],
    certain: float = EARLY,
    prefer: Prefer = Prefer.SMALLEST,
    misses: Collection[str] = (),
    beyond: str | None = None,
) -> dict[str, tuple[QuantVerdict, DropReason | None]]:
    """Return verdict and reason of each quant; those without scores were not measured."""
    items = [
        item if isinstance(item, QuantScores) else QuantScores(quant, item, reason="load_failed")
        for quant, item in quants.items()
    ]
    policy = LookPolicy(0.95, prefer, len(TASKS), certain, lambda _: beyond)
    found = look(items, TASKS, misses, policy)
    return {
        item.quant_tag: (item.verdict, item.dropped.reason if item.dropped else None)
        for item in found
    }


OPEN = (QuantVerdict.UNDECIDED, None)
LOST = (QuantVerdict.LOST, DropReason.DECIDED)
KEPT = (QuantVerdict.KEPT, DropReason.DECIDED)


@pytest.mark.parametrize(
    ("quants", "expected"),
    [
        (
            {"F16": scores(40), "Q4": scores(40, 1), "Q2": scores(40, 30)},
            {"F16": OPEN, "Q4": OPEN, "Q2": LOST},
        ),
        (
            {"F16": scores(80), "Q8": scores(80, 1), "Q4": scores(80), "Q3": scores(80, 2)},
            {
                "F16": OPEN,
                "Q8": (QuantVerdict.UNDECIDED, DropReason.MATTERS_NO_MORE),
                "Q4": KEPT,
                "Q3": OPEN,
            },
        ),
        (
            {"F16": scores(80), "Q4": scores(80), "Q2": scores(80, 60)},
            {
                "F16": (QuantVerdict.UNDECIDED, DropReason.NOTHING_OPEN),
                "Q4": KEPT,
                "Q2": LOST,
            },
        ),
        (
            {"F16": scores(40), "Q4": None, "Q2": scores(40, 1)},
            {
                "F16": OPEN,
                "Q4": (QuantVerdict.NOT_MEASURED, DropReason.NOT_MEASURED),
                "Q2": OPEN,
            },
        ),
        ({"F16": scores(40)}, {"F16": OPEN}),
        (
            {"F16": scores(40, 39), "Q4": scores(40, 39)},
            {
                "F16": (QuantVerdict.UNDECIDED, DropReason.TASKS_TOO_HARD),
                "Q4": (QuantVerdict.UNDECIDED, DropReason.TASKS_TOO_HARD),
            },
        ),
    ],
    ids=[
        "a lost one is dropped",
        "larger ones than a proved one matter no more",
        "the baseline is asked only beside others",
        "one that was not measured",
        "a single quant is asked everything",
        "tasks that the baseline can't do",
    ],
)
def test_who_is_asked_further(
    quants: dict[str, Any], expected: dict[str, tuple[QuantVerdict, DropReason | None]]
) -> None:
    assert looked(quants) == expected


def test_an_early_look_needs_more_certainty_than_the_last_one() -> None:
    """60 tasks without a flip prove a quant at the end, and not in between."""
    quants = {"F16": scores(66), "Q4": scores(66)}
    assert looked(quants)["Q4"] == OPEN
    assert looked(quants, CERTAIN)["Q4"] == KEPT
    assert [certain_at(batch, 3) for batch in (1, 2, 3)] == [EARLY, EARLY, CERTAIN]
    assert certain_at(1, 1) == CERTAIN


def test_a_proved_quant_that_misses_a_limit_does_not_drop_larger_ones() -> None:
    quants = {"F16": scores(80), "Q8": scores(80, 1), "Q4": scores(80)}
    assert looked(quants, misses=["Q4"])["Q8"] == OPEN


def test_who_wants_the_best_quant_keeps_the_larger_ones() -> None:
    quants = {"F16": scores(80), "Q8": scores(80, 1), "Q4": scores(80)}
    assert looked(quants, prefer=Prefer.BEST)["Q8"] == OPEN


def test_a_dropped_quant_keeps_its_reason_and_the_certainty_of_its_look() -> None:
    """The answers of the others go on; its own are those of its last batch."""
    gone = Dropped(reason=DropReason.MATTERS_NO_MORE, detail="Q4 is smaller", certain=EARLY)
    dropped = QuantScores("Q8", scores(66), dropped=gone)
    found = looked({"F16": scores(168), "Q8": dropped, "Q4": scores(168, 6)}, CERTAIN)
    assert found["Q8"] == (QuantVerdict.UNDECIDED, DropReason.MATTERS_NO_MORE)
    assert found["Q4"] == OPEN


def test_a_budget_drops_all_that_are_open_and_its_last_look_is_an_ordinary_one() -> None:
    items = [QuantScores("F16", scores(66)), QuantScores("Q4", scores(66))]
    policy = LookPolicy(0.95, Prefer.SMALLEST, len(TASKS), EARLY, lambda quants: f"{len(quants)}")
    found = look(items, TASKS, (), policy)
    reasons = [item.dropped for item in found]
    assert [item.reason for item in reasons if item] == [DropReason.BUDGET_SPENT] * 2
    assert {item.certain for item in reasons if item} == {CERTAIN}
    assert {item.detail for item in reasons if item} == {"2"}


def test_a_baseline_that_may_be_measured_later_drops_nobody() -> None:
    waits = QuantScores("F16", None, "crashed", may_pass=True)
    assert looked({"F16": waits, "Q4": scores(80), "Q2": scores(80, 60)}) == dict.fromkeys(
        ("F16", "Q4", "Q2"), OPEN
    )


@pytest.mark.parametrize(
    ("right", "asked", "tasks", "expected"),
    [(0, 40, 168, True), (2, 40, 168, True), (3, 40, 168, False), (2, 40, 400, False)],
)
def test_tasks_are_too_hard_if_all_of_them_could_not_give_twenty(
    right: int, asked: int, tasks: int, expected: bool
) -> None:
    found = too_hard([1.0] * right + [0.0] * (asked - right), tasks)
    assert found is expected
