"""A model whose quants were asked different numbers of tasks: verdicts, figures, sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import NOW, PROVENANCE, metrics

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.session_batches import asked_less
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.artifacts.views.row import RowBatch, RowMetrics, TaskScore
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.report.sections.batches import adherence_cell, asked_note, batches_section
from orket_lib.vocabulary.statuses import DropReason, Lane, QuantVerdict

BITS = {"F16": 16.0, "Q8_0": 8.5, "Q4_K_M": 4.9, "Q2_K": 3.2}
POLICY = FrontierPolicy(0.95, 10.0, include_invalid=False)


def scores(asked: int, wrong: int) -> tuple[TaskScore, ...]:
    return tuple(
        TaskScore(
            test_id=f"add-{number:04d}",
            passed=number >= wrong,
            adherence_score=float(number >= wrong),
            family="add",
            level=1,
        )
        for number in range(asked)
    )


def dropped(reason: DropReason, certain: float, detail: str = "why") -> Dropped:
    return Dropped(reason=reason, detail=detail, certain=certain)


def row(quant: str, asked: int, wrong: int, why: Dropped | None) -> RowMetrics:
    batches = [
        RowBatch(batch=1, report_path="run.json", tasks=asked, dropped=None),
        RowBatch(batch=2, report_path="batch-2/run.json", tasks=0, dropped=why),
    ]
    figures: dict[str, Any] = {"adherence_score": 1 - wrong / asked, "tasks": asked}
    return metrics(quant, BITS[quant], batches=batches, test_runs=asked, **figures)


def session(
    asked: dict[str, tuple[int, int, Dropped | None]], quick: bool = False, **look: Any
) -> ModelSession:
    """Return the session of quants by tasks asked, wrong ones, and why no more were asked."""
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "model_id": "nano",
        "batch": 3,
        "batches": 3,
        "tasks": 168,
        "tasks_in_all": 168,
        "runs_per_task": 1,
        "certain": 0.975,
        "seconds": None,
        "budget_seconds": None,
        "quants": (),
    }
    rows = [row(quant, *item) for quant, item in asked.items()]
    table = {quant: scores(tasks, wrong) for quant, (tasks, wrong, _) in asked.items()}
    policy = replace(POLICY, quick=quick)
    return build_session("nano", rows, table, policy, Lane.LAB, Look(**values | look))


def test_a_verdict_is_over_the_tasks_that_the_quant_was_asked() -> None:
    """The baseline was asked four times as many; those don't count as lost."""
    early = dropped(DropReason.DECIDED, 0.995)
    found = session({"F16": (168, 0, None), "Q4_K_M": (168, 1, None), "Q2_K": (40, 30, early)})
    verdicts = {item.quant_tag: item for item in found.verdicts}
    assert verdicts["Q2_K"].verdict is QuantVerdict.LOST
    assert (verdicts["Q2_K"].tasks, verdicts["Q2_K"].lost) == (40, 30)
    assert (verdicts["Q2_K"].certain, verdicts["Q4_K_M"].certain) == (0.995, 0.975)
    assert verdicts["Q2_K"].dropped is DropReason.DECIDED
    assert found.decision
    assert found.decision.pick == "Q4_K_M"
    assert found.decision.stability
    assert found.decision.stability > 0.9


@pytest.mark.parametrize(
    ("certain", "verdict"), [(0.995, QuantVerdict.UNDECIDED), (0.975, QuantVerdict.KEPT)]
)
def test_the_certainty_of_the_look_counts(certain: float, verdict: QuantVerdict) -> None:
    """66 tasks without a flip are proof at the last look only."""
    why = dropped(DropReason.MATTERS_NO_MORE, certain)
    found = session({"F16": (168, 0, None), "Q8_0": (66, 0, why), "Q4_K_M": (168, 0, None)})
    assert found.verdicts[1].verdict is verdict


def test_what_matters_no_more_is_not_called_open() -> None:
    why = dropped(DropReason.MATTERS_NO_MORE, 0.995)
    found = session({"F16": (168, 9, None), "Q8_0": (66, 9, why), "Q4_K_M": (168, 9, None)})
    assert "Q8_0 probably" not in found.recommendation
    assert found.decision
    assert found.decision.next is None


def test_what_was_saved_is_said() -> None:
    early = dropped(DropReason.DECIDED, 0.995, "LOST after 40 tasks")
    found = session({"F16": (168, 0, None), "Q4_K_M": (168, 1, None), "Q2_K": (40, 30, early)})
    assert "Asked 376 of at most 504 graded runs." in found.recommendation
    table = batches_section(found)
    assert table
    assert table.quants[2] == ("Q2_K", "40", "168", "0.995", "DECIDED: LOST after 40 tasks")
    assert adherence_cell(found.per_quant[2], found) == "0.250 (40)"
    assert adherence_cell(found.per_quant[0], found) == "1.000"
    assert asked_note(found) == "(n): adherence over n tasks; the others were asked 168"


def test_a_budget_that_ended_is_said_with_numbers_and_what_to_do() -> None:
    why = dropped(
        DropReason.BUDGET_SPENT,
        0.975,
        "the next 88 tasks take about 5 min, and 90 s are left",
    )
    found = session(
        {"F16": (80, 0, why), "Q4_K_M": (80, 2, why)}, seconds=240.0, budget_seconds=330.0
    )
    assert (
        "The budget ended after 80 of 168 tasks: the next 88 tasks take about 5 min"
        in found.recommendation
    )
    assert found.decision
    assert found.decision.next == (
        "raise `budget:`, and run the same command: it continues where the budget ended"
    )
    quick = asked_less(found.per_quant, found.batches, quick=True)
    assert "The budget ended after 80 of 168 tasks, the easiest: the next 88" in " ".join(quick)


@pytest.mark.parametrize(
    ("quick", "tasks", "said"), [(True, 60, True), (True, 20, False), (False, 60, False)]
)
def test_a_pick_by_the_easiest_tasks_alone_says_so(quick: bool, tasks: int, said: bool) -> None:
    why = dropped(DropReason.BUDGET_SPENT, 0.975)
    # Hard enough that the tasks can order the quants at all.
    found = session(
        {"F16": (20, 1, why), "Q8_0": (20, 1, why), "Q4_K_M": (20, 1, why)},
        quick,
        tasks_in_all=tasks,
    )
    assert found.decision and found.decision.pick
    assert ("the easiest tasks, the only ones asked" in found.recommendation) is said


@pytest.mark.parametrize(("tasks", "more"), [(60, True), (24, False)])
def test_without_quick_more_is_asked_only_if_there_is_more(tasks: int, more: bool) -> None:
    found = session(
        {"F16": (tasks, 1, None), "Q4_K_M": (tasks, 3, None)}, quick=True, tasks_in_all=tasks
    )
    assert found.decision and found.decision.next
    assert ("without `quick`" in found.decision.next) is more


@pytest.mark.parametrize(("wrong", "status"), [(0, "TASKS_TOO_EASY"), (38, "TASKS_TOO_HARD")])
def test_tasks_that_a_budget_left_out_come_before_other_tasks(wrong: int, status: str) -> None:
    why = dropped(DropReason.BUDGET_SPENT, 0.975)
    found = session({"F16": (40, wrong, why), "Q4_K_M": (40, wrong, why)})
    assert found.decision
    assert found.decision.status.value == status
    assert (found.decision.next or "").startswith("raise `budget:`")


def test_a_first_batch_beyond_the_budget_is_said() -> None:
    found = session(
        {"F16": (168, 0, None), "Q4_K_M": (168, 1, None)}, seconds=400.0, budget_seconds=330.0
    )
    assert "It took 7 min, more than the budget of 6 min." in found.recommendation


def test_without_batches_nothing_is_said_of_them() -> None:
    found = build_session(
        "nano",
        [metrics("F16", 16.0), metrics("Q4_K_M", 4.9)],
        {"F16": scores(60, 0), "Q4_K_M": scores(60, 1)},
        POLICY,
        Lane.LAB,
    )
    assert (found.batches, batches_section(found), asked_note(found)) == (None, None, None)
    assert "Asked" not in found.recommendation
