"""How answers fail, counted by name (T30)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import metrics, run

from orket_lib.analysis.rows.answer_failures import count_failures, failure_of
from orket_lib.analysis.rows.quality import quality_spoiled_by
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import ADVICE, MEANINGS, AnswerFailure, Outcome, RunStatus


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outcome": Outcome.PASS}, None),
        ({"outcome": Outcome.PASS, "finish_reason": "length"}, None),
        ({"outcome": Outcome.FAIL, "answer": "7"}, AnswerFailure.WRONG),
        ({"outcome": Outcome.FAIL, "answer": "?", "unparseable": True}, AnswerFailure.UNPARSEABLE),
        ({"outcome": Outcome.FAIL, "answer": " \n"}, AnswerFailure.EMPTY),
        ({"outcome": Outcome.FAIL, "answer": "", "finish_reason": "length"}, AnswerFailure.CUT),
        ({"outcome": Outcome.TIMEOUT, "answer": None}, AnswerFailure.TIMEOUT),
        ({"outcome": Outcome.ERROR, "answer": None}, AnswerFailure.FAULT),
    ],
)
def test_each_way_of_failing_has_a_name(
    changes: dict[str, Any], expected: AnswerFailure | None
) -> None:
    assert failure_of(run(1).model_copy(update={"finish_reason": "stop", **changes})) is expected


def test_runs_are_counted_and_the_first_of_each_kind_is_named() -> None:
    cut = {"outcome": Outcome.FAIL, "answer": "", "finish_reason": "length"}
    slow = {"outcome": Outcome.TIMEOUT, "answer": None, "outcome_detail": "no answer within 30 s"}
    runs = [run(1), run(2).model_copy(update=cut), run(3).model_copy(update=cut)]
    found = count_failures([*runs, run(4).model_copy(update=slow)])
    assert [(item.failure, item.runs) for item in found] == [
        (AnswerFailure.CUT, 2),
        (AnswerFailure.TIMEOUT, 1),
    ]
    assert found[0].first.startswith("add-0002 run 1: finish_reason length")
    assert found[1].first == "add-0004 run 1: no answer within 30 s"


def test_every_failure_has_a_meaning() -> None:
    assert set(MEANINGS) == set(AnswerFailure)
    assert set(ADVICE) < set(AnswerFailure)


def test_only_what_changes_answers_spoils_quality() -> None:
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "58% of the cores")
    cut = Observation.of(Reason.CONTEXT_TRUNCATED, "add-0001")
    assert quality_spoiled_by(RunStatus.MEASURED, [busy]) == ()
    assert quality_spoiled_by(RunStatus.MEASURED, [busy, cut]) == ("CONTEXT_TRUNCATED: add-0001",)
    assert quality_spoiled_by(RunStatus.CRASHED, []) == ("status is crashed",)


def test_a_row_of_an_older_version_is_judged_by_its_validity() -> None:
    assert metrics().quality_valid
    assert not metrics(valid=False, invalid_because=("run quality is POLLUTED",)).quality_valid
