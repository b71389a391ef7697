"""What is printed between batches of tasks."""

from __future__ import annotations

from builders import NOW, PROVENANCE

from orket_lib.artifacts.views.look import Look, LookedQuant
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.report.look import look_lines
from orket_lib.vocabulary.statuses import DropReason, QuantVerdict

LOST = Dropped(certain=0.995, reason=DropReason.DECIDED, detail="LOST after 20 tasks")
SPENT = Dropped(certain=0.95, reason=DropReason.BUDGET_SPENT, detail="13 s of 60 s are left")


def lines(batch: int, *asked: tuple[int, Dropped | None]) -> list[str]:
    look = Look(
        generated_at=NOW,
        provenance=PROVENANCE,
        model_id="nano",
        batch=batch,
        batches=3,
        tasks=20 * batch,
        tasks_in_all=60,
        runs_per_task=1,
        certain=0.995,
        seconds=25.0,
        budget_seconds=60.0,
        quants=tuple(
            LookedQuant(
                quant_tag=quant,
                verdict=QuantVerdict.UNDECIDED,
                probability=0.5,
                tasks=tasks,
                dropped=dropped,
            )
            for quant, (tasks, dropped) in zip(("F16", "Q2_K"), asked, strict=True)
        ),
    )
    return list(look_lines(look))


def test_a_quant_is_named_when_it_is_dropped_and_not_again() -> None:
    assert lines(1, (20, None), (20, LOST)) == [
        "nano, after 20 of at most 60 tasks: Q2_K is asked no further: LOST after 20 tasks",
        "nano, after 20 of at most 60 tasks: 25 s of 60 s are spent",
    ]
    assert lines(2, (40, SPENT), (20, LOST)) == [
        "nano, after 40 of at most 60 tasks: 13 s of 60 s are left: further batches are left out",
        "nano, after 40 of at most 60 tasks: 25 s of 60 s are spent",
    ]


def test_a_batch_that_nobody_was_asked_is_not_worth_a_line() -> None:
    assert lines(3, (40, SPENT), (20, LOST)) == []
