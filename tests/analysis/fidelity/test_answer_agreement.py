"""Agreement with the baseline's answers, which needs no right answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from builders import metrics, run, unmeasured
from fidelity_builders import kld
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from orket_lib.analysis.fidelity.agreement import fidelity, shares_of_answers
from orket_lib.analysis.fidelity.of_rows import fidelity_of_rows
from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.rows.answers import same_start, with_answers
from orket_lib.analysis.sessions import build_session
from orket_lib.analysis.statistics import interval_of_share
from orket_lib.artifacts.views.fidelity import Agreement, Fidelity
from orket_lib.artifacts.views.kld import Kld
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.tasks.answers import comparable
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import DecisionStatus, FidelityMode, Lane, Outcome

ONCE = Null("ONE_RUN_PER_TASK")
BITS = {"F16": 16.0, "Q8_0": 8.5, "Q4_K_M": 4.9}


def scores(*answers: str | None, **changes: Any) -> list[TaskScore]:
    """Return right answers to as many tasks."""
    return [
        TaskScore(
            test_id=f"t{n}",
            passed=True,
            adherence_score=1.0,
            family="add",
            answer=answer,
            **changes,
        )
        for n, answer in enumerate(answers)
    ]


def agreement(quant: Sequence[TaskScore], baseline: Sequence[TaskScore]) -> Agreement:
    return fidelity("Q8_0", "F16", shares_of_answers(quant, baseline)).agreement


def of_rows(*rows: tuple[RowMetrics, Sequence[TaskScore]]) -> dict[str, Fidelity]:
    """Return the fidelity by quant; the first row is the baseline."""
    table = {row.quant_tag: scores for row, scores in rows}
    metrics_of = [row for row, _ in rows]
    found = fidelity_of_rows(metrics_of, table, metrics_of[0], include_invalid=False)
    return {item.quant_tag: item for item in found}


def answered(*runs: TestRun) -> tuple[TaskScore, ...]:
    """Return the scores of runs with their answers, as a row has them."""
    return with_answers(task_scores(runs), runs, "bank", comparable)


def test_answers_are_compared_as_they_are_normalised() -> None:
    """By the same rule as determinism: a fence, thoughts and outer blanks don't count."""
    one = answered(run(1, answer="7"), run(2, answer="8"))
    other = answered(run(1, answer="<think>6?</think> 7\n"), run(2, answer="```\n9\n```"))
    found = agreement(one, other)
    assert (found.tasks, found.same_answers, found.same_answer_rate) == (2, 1, 0.5)
    assert found.same_start_share == 0.5


def test_empty_answers_are_none() -> None:
    """A limit of tokens that all go into thoughts makes no two quants alike."""
    runs = [run(1, answer="7"), run(2, answer=" "), run(3, answer="<think>6 or 7?</think>")]
    empty = [run(1, answer=""), *runs[1:]]
    assert [item.answer for item in answered(*runs)] == ["7", None, None]
    found = agreement(answered(*empty), answered(*runs))
    assert (found.tasks, found.same_answers) == (1, 0)


@pytest.mark.parametrize(
    ("quant", "baseline", "same", "start"),
    [
        pytest.param("abcd", "abcd", 1.0, 1.0, id="same"),
        pytest.param("abcd", "abxd", 0.0, 0.5, id="a difference in the middle"),
        pytest.param("abcdabcd", "abcd", 0.0, 0.5, id="it goes on"),
        pytest.param(None, "a", 0.0, 0.0, id="the quant failed"),
        pytest.param("a", None, 0.0, 0.0, id="the baseline failed"),
    ],
)
def test_the_share_before_the_first_difference(
    quant: str | None, baseline: str | None, same: float, start: float
) -> None:
    found = agreement(scores(quant), scores(baseline))
    assert (found.same_answer_rate, found.same_start_share) == (same, start)


def test_without_answers_there_is_a_reason() -> None:
    for quant, baseline in ((scores(None), scores(None)), (scores("a"), [])):
        found = agreement(quant, baseline)
        assert found.tasks == 0
        assert set(found.null_reasons.values()) == {"NO_ANSWERS_TO_COMPARE"}


def test_the_noise_floor_is_the_second_run() -> None:
    runs = [
        *(run(1, 0, answer="abcd"), run(1, 1, answer="abcd")),
        *(run(2, 0, answer="abcd"), run(2, 1, answer="abxx")),
        *(run(3, 0, answer="abcd"), run(3, 1, Outcome.TIMEOUT)),
        run(4, 0, answer="only once"),
    ]
    baseline = metrics("F16", 16.0, determinism_rate=ONCE)
    found = of_rows((baseline, answered(*runs)))["F16"].agreement
    assert (found.tasks, found.same_answers) == (3, 1)
    assert found.same_start_share == 0.5


@pytest.mark.parametrize(
    ("determinism", "reason"),
    [(ONCE, "ONE_RUN_PER_TASK"), (Null("NO_ANSWER_SHOWN"), "NO_ANSWER_SHOWN")],
)
def test_a_noise_floor_that_is_unknown_says_why(determinism: Null, reason: str) -> None:
    baseline = metrics("F16", 16.0, determinism_rate=determinism)
    found = of_rows((baseline, scores("a", "b")))["F16"].agreement
    assert set(found.null_reasons.values()) == {reason}


def test_quants_without_answers_that_count_say_why() -> None:
    found = of_rows(
        (metrics("F16", 16.0), scores("a")),
        (unmeasured("Q8_0", 8.5), ()),
        (metrics("Q4_K_M", 4.9, quality_spoiled_by=("CONTEXT_TRUNCATED",)), scores("a")),
    )
    reasons = {quant: set(it.agreement.null_reasons.values()) for quant, it in found.items()}
    assert reasons["Q8_0"] == {"STATUS_LOAD_FAILED"}
    assert reasons["Q4_K_M"] == {"ANSWERS_DISTURBED"}


def test_each_family_has_its_own_agreement() -> None:
    def answers(*texts: str) -> list[TaskScore]:
        found = scores(*texts)
        return [
            item.model_copy(update={"family": "sort" if n < 3 else "add"})
            for n, item in enumerate(found)
        ]

    found = of_rows(
        (metrics("F16", 16.0), answers("a", "b", "c", "d")),
        (metrics("Q8_0", 8.5), answers("a", "b", "x", "y")),
    )["Q8_0"]
    counts = [(part.family, part.same_answers, part.tasks) for part in found.by_family]
    assert counts == [("add", 0, 1), ("sort", 2, 3)]
    assert found.by_family[1].same_answer_rate == pytest.approx(2 / 3)
    assert (found.agreement.same_answers, found.agreement.tasks) == (2, 4)


@pytest.mark.parametrize(("right", "tasks"), [(60, 60), (5, 10), (0, 20)])
def test_the_interval_of_passes_is_that_of_jeffreys(right: int, tasks: int) -> None:
    found = interval_of_share([1.0] * right + [0.0] * (tasks - right))
    assert found == pytest.approx(beta.ppf((0.025, 0.975), right + 0.5, tasks - right + 0.5))


def test_answers_that_differ_less_than_yes_and_no_have_a_narrower_interval() -> None:
    low, high = interval_of_share([0.4, 0.6] * 20)
    coarse_low, coarse_high = interval_of_share([0.0, 1.0] * 20)
    assert coarse_low < low < 0.5 < high < coarse_high


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_an_interval_is_within_0_and_1_and_independent_of_the_order(values: list[float]) -> None:
    low, high = interval_of_share(values)
    assert 0 <= low < high <= 1
    assert interval_of_share(sorted(values)) == (low, high)


def session(
    changed: dict[str, int],
    right: int = 168,
    mode: FidelityMode = FidelityMode.AGREEMENT,
    divergences: Kld | None = None,
    **baseline: Any,
) -> ModelSession:
    """Return the session of a baseline and quants by how many of 168 answers they change."""
    table = {"F16": scores(*(f"answer {n}" for n in range(168)), **baseline)} | {
        quant: scores(*(f"{'another' if n < count else 'answer'} {n}" for n in range(168)))
        for quant, count in changed.items()
    }
    graded = {
        quant: tuple(
            item.model_copy(update={"passed": n < right, "adherence_score": float(n < right)})
            for n, item in enumerate(items)
        )
        for quant, items in table.items()
    }
    rows = [
        metrics(quant, BITS[quant], adherence_score=right / 168, determinism_rate=ONCE)
        for quant in graded
    ]
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False, fidelity=mode)
    return build_session("nano", rows, graded, policy, Lane.LAB, kld=divergences)


@pytest.mark.parametrize(
    ("right", "status"),
    [(168, DecisionStatus.TASKS_TOO_EASY), (10, DecisionStatus.TASKS_TOO_HARD)],
)
def test_agreement_orders_what_tasks_can_not(right: int, status: DecisionStatus) -> None:
    found = session({"Q8_0": 60, "Q4_K_M": 6}, right, repeated=1.0)
    assert found.decision is not None
    assert found.decision.status is status
    assert found.decision.by_fidelity == ("Q4_K_M", "Q8_0")
    assert "fidelity=" not in str(found.decision.next)
    assert (
        "By agreement with F16's answers, most first: Q4_K_M (162 of 168 are the same), "
        "Q8_0 (108 of 168); F16 itself repeats 168 of 168."
    ) in found.recommendation
    assert "Right, but different" not in found.recommendation


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Q8_0": 0, "Q4_K_M": 0}, " Answers can't tell Q8_0 and Q4_K_M apart."),
        ({"Q8_0": 0, "Q4_K_M": 6}, ""),  # Q8_0 and the baseline are not told apart
        ({"Q8_0": 6, "Q4_K_M": 6}, " Answers can't tell Q8_0 and Q4_K_M apart."),
    ],
)
def test_where_answers_can_not_tell_either_the_line_that_adds_kld_is_named(
    changed: dict[str, int], said: str
) -> None:
    found = session(changed)
    assert found.decision is not None
    assert found.decision.status is DecisionStatus.TASKS_TOO_EASY
    assert found.recommendation.endswith(f"({168 - changed['Q4_K_M']} of 168).{said}")
    assert found.decision.next == (
        "choose harder tasks (`task_bank:`), or run the same command with `--config fidelity=kld`: "
        "it also compares the probabilities of tokens"
    )


def test_fidelity_may_be_off() -> None:
    found = session({"Q8_0": 60}, mode=FidelityMode.OFF)
    assert found.decision is not None
    assert (found.fidelity, found.decision.by_fidelity) == ((), ())
    assert found.per_quant[1].null_reasons["same_answer_rate"] == "FIDELITY_OFF"
    assert "By agreement" not in found.recommendation
    assert "`--config fidelity=agreement`" in str(found.decision.next)
    quiet = session({"Q4_K_M": 132}, right=160, mode=FidelityMode.OFF)
    assert "Right, but different" not in quiet.recommendation


def test_right_but_different_is_said() -> None:
    found = session({"Q8_0": 10, "Q4_K_M": 132}, right=160)
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.PROVED, "Q4_K_M")
    assert found.decision.by_fidelity == ()
    assert found.recommendation.endswith(
        "Right, but different: 36 of 168 answers of Q4_K_M are the same as F16's."
    )
    rows = {item.quant_tag: item for item in found.per_quant}
    assert rows["F16"].null_reasons["same_answer_rate"] == "ONE_RUN_PER_TASK"
    assert rows["Q4_K_M"].same_answer_rate == pytest.approx(36 / 168)
    assert rows["Q4_K_M"].same_start_share == found.fidelity[2].agreement.same_start_share


def test_a_baseline_that_does_not_repeat_itself_is_named() -> None:
    found = session({"Q4_K_M": 132}, right=160, repeated=0.5)
    assert "are the same as F16's; F16 itself repeats 0 of 168." in found.recommendation


def test_few_changes_are_not_worth_a_word() -> None:
    assert "answers of" not in session({"Q8_0": 10, "Q4_K_M": 80}, right=160).recommendation


ANSWERS = st.none() | st.text("ab ", max_size=6)


@given(ANSWERS, ANSWERS)
def test_the_common_start_has_no_direction_and_is_whole_for_equals_only(
    one: str | None, other: str | None
) -> None:
    share = same_start(one, other)
    assert share == same_start(other, one)
    if share is None:
        assert one is other is None
    else:
        assert 0 <= share <= 1
        assert (share == 1) == (one == other)


def test_each_task_names_its_bank() -> None:
    assert {item.bank for item in answered(run(1), run(2))} == {"bank"}


def test_divergence_orders_what_neither_tasks_nor_answers_can() -> None:
    apart = kld(texts={"Q8_0": 0.02, "Q4_K_M": 0.01})
    found = session({"Q8_0": 0, "Q4_K_M": 0}, mode=FidelityMode.KLD, divergences=apart)
    assert found.decision is not None
    assert found.decision.status is DecisionStatus.TASKS_TOO_EASY
    assert found.decision.by_fidelity == ("Q4_K_M", "Q8_0")
    assert "fidelity=" not in str(found.decision.next)
    assert found.recommendation.endswith(
        "By KL divergence from F16's probabilities, least first: Q4_K_M (0.01), Q8_0 (0.02); F16 "
        "itself, again: 0.0001."
    )
    rows = {item.quant_tag: item for item in found.per_quant}
    assert [rows[quant].kld_mean for quant in BITS] == [0.0001, 0.02, 0.01]
    assert rows["Q8_0"].kld_same_top == 0.9


def test_intervals_that_overlap_are_named() -> None:
    near = kld(texts={"Q8_0": 0.011, "Q4_K_M": 0.010})
    found = session({"Q8_0": 0, "Q4_K_M": 0}, mode=FidelityMode.KLD, divergences=near)
    assert found.recommendation.endswith(" The intervals of Q4_K_M and Q8_0 overlap.")


def test_where_a_text_is_unknown_all_quants_are_ordered_by_their_answers() -> None:
    """Over the answers all divergences are 0.5: figures of text and answers are never mixed."""
    part = kld(texts={"Q8_0": None, "Q4_K_M": 0.01})
    found = session({"Q8_0": 0, "Q4_K_M": 0}, mode=FidelityMode.KLD, divergences=part)
    assert [row.kld_mean for row in found.per_quant] == [0.5, 0.5, 0.5]


def test_without_divergence_the_rows_say_how_to_get_it() -> None:
    found = session({"Q8_0": 0})
    assert {row.null_reasons["kld_mean"] for row in found.per_quant} == {"NO_KLD"}
