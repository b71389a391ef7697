"""How answers fail, counted by name (T30)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import metrics, run

from orket_lib.analysis.rows.answer_failures import Limits, count_failures, failure_of
from orket_lib.analysis.rows.quality import quality_spoiled_by
from orket_lib.artifacts.views.run_report import Observation, Reasoning, TestRun
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import ADVICE, MEANINGS, AnswerFailure, Outcome, RunStatus

LIMITS = Limits(output=64, context=2048)
THOUGHT = Reasoning(characters=200, end="... so it is 5")


def failed(output: int | None = 5, prompt: int = 40, **changes: Any) -> TestRun:
    """A run that failed; by default with a wrong answer of 5 tokens."""
    found = run(1)
    metrics = found.telemetry.token_metrics
    reasons = {} if output is not None else {"output_tokens": "TOKEN_COUNT_UNAVAILABLE"}
    counts = metrics.counts.model_copy(
        update={"output_tokens": output, "prompt_tokens": prompt, "null_reasons": reasons}
    )
    telemetry = found.telemetry.model_copy(
        update={"token_metrics": metrics.model_copy(update={"counts": counts})}
    )
    fields = {"outcome": Outcome.FAIL, "answer": "7", "finish_reason": "stop", **changes}
    return found.model_copy(update={"telemetry": telemetry, **fields})


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (failed(outcome=Outcome.PASS), None),
        (failed(64, outcome=Outcome.PASS, finish_reason="length"), None),
        (failed(), AnswerFailure.WRONG),
        (failed(answer="?", unparseable=True), AnswerFailure.UNPARSEABLE),
        (failed(answer=" \n"), AnswerFailure.EMPTY),
        (failed(64, finish_reason="length"), AnswerFailure.CUT),
        (failed(64, finish_reason="maxPredictedTokensReached"), AnswerFailure.CUT),
        (failed(64, finish_reason=None), AnswerFailure.CUT),  # some servers don't say why
        (failed(64, answer="", finish_reason="length"), AnswerFailure.CUT),
        (
            failed(64, answer="", finish_reason="length", reasoning=THOUGHT),
            AnswerFailure.CUT_IN_REASONING,
        ),
        (failed(64, answer="<think>2 and", finish_reason="length"), AnswerFailure.CUT_IN_REASONING),
        (failed(20, prompt=2028, finish_reason="length"), AnswerFailure.CUT_BY_CONTEXT),
        (failed(20, answer="", reasoning=THOUGHT), AnswerFailure.ONLY_REASONING),
        (failed(20, answer="<think>5</think>\n"), AnswerFailure.ONLY_REASONING),
        (failed(answer="", finish_reason="tool_calls"), AnswerFailure.TOOL_CALL),
        (failed(answer="", finish_reason="content_filter"), AnswerFailure.FILTERED),
        (failed(answer=None), AnswerFailure.WRONG),  # a score without an answer
        (failed(None, outcome=Outcome.TIMEOUT, answer=None), AnswerFailure.TIMEOUT),
        (failed(None, outcome=Outcome.ERROR, answer=None), AnswerFailure.FAULT),
    ],
)
def test_t30_each_way_of_failing_has_a_name(
    failing: TestRun, expected: AnswerFailure | None
) -> None:
    assert failure_of(failing, LIMITS) is expected


def test_an_answer_that_is_all_reasoning_says_so() -> None:
    cut = failed(64, answer="", finish_reason="length", reasoning=THOUGHT)
    (found,) = count_failures([cut], LIMITS)
    assert found.first == (
        "add-0001 run 1: finish_reason length, 64 of 64 tokens, all of them reasoning"
    )


def test_runs_are_counted_and_the_first_of_each_kind_is_named() -> None:
    cut = {"outcome": Outcome.FAIL, "answer": "", "finish_reason": "length"}
    slow = {"outcome": Outcome.TIMEOUT, "answer": None, "outcome_detail": "no answer within 30 s"}
    runs = [run(1), run(2).model_copy(update=cut), run(3).model_copy(update=cut)]
    found = count_failures([*runs, run(4).model_copy(update=slow)], LIMITS)
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
