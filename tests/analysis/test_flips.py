"""Which tasks quants lost or won, and whose answers are shown."""

from __future__ import annotations

from builders import run
from report_summaries import row, summary

from orket_lib.analysis.flips import AskedTask, flips_of_model
from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome

FAIL = Outcome.FAIL


def session() -> ModelSession:
    rows = [row("F16", 16.0, 0.9), row("Q8_0", 8.5, 0.9), row("Q2_K", 3.2, 0.5)]
    return summary(rows).sessions[0]


def runs() -> dict[str, tuple[TestRun, ...]]:
    return {
        "F16": (run(1), run(2), run(3, outcome=FAIL), run(4)),
        "Q8_0": (run(1), run(2), run(3, answer="3"), run(4), run(4, 1, FAIL, "5")),
        "Q2_K": (run(1, outcome=FAIL, answer="7"), run(2), run(3, outcome=FAIL)),
    }


def test_lost_and_won_tasks_come_in_the_order_in_which_quants_break() -> None:
    found = flips_of_model(session(), runs(), {})
    assert [(it.test_id, it.lost, it.won) for it in found.tasks] == [
        ("add-0004", ("Q8_0",), ()),
        ("add-0001", ("Q2_K",), ()),
        ("add-0003", (), ("Q8_0",)),
    ]
    assert found.quants == ("Q8_0", "Q2_K")


def test_the_answer_shown_is_that_of_the_first_failed_run() -> None:
    first = flips_of_model(session(), runs(), {}).tasks[0]
    assert [(it.quant_tag, it.right, it.answer) for it in first.answers] == [
        ("F16", True, "1"),
        ("Q8_0", False, "5"),
    ]


def test_prompt_and_right_answer_are_there_as_far_as_they_are_known() -> None:
    found = flips_of_model(session(), runs(), {"add-0004": AskedTask("2 + 2?", "4")})
    assert [(it.prompt, it.right_answer) for it in found.tasks] == [
        ("2 + 2?", "4"),
        *[(None, None)] * 2,
    ]


def test_a_task_that_is_not_graded_is_neither_lost_nor_won() -> None:
    ungraded = {
        quant: (run(1, outcome=outcome, adherence_score=Null("NO_EXPECTED_ANSWER")),)
        for quant, outcome in (("F16", Outcome.PASS), ("Q2_K", FAIL))
    }
    assert flips_of_model(session(), ungraded, {}).tasks == ()


def test_without_the_baseline_s_runs_nothing_is_compared() -> None:
    some = {quant: of for quant, of in runs().items() if quant != "F16"}
    found = flips_of_model(session(), some, {})
    assert (found.quants, found.tasks) == ((), ())
