"""What people read of a sweep: the sentence, from rows as they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from builders import metrics, unmeasured

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.sessions import build_session
from orket_lib.analysis.verdict.caveats import baseline_fails
from orket_lib.artifacts.views.row import FailureCount, RowMetrics, TaskScore
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.artifacts.views.verdict import LostTo
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import (
    AnswerFailure,
    DecisionStatus,
    Lane,
    Prefer,
    Quality,
    QuantVerdict,
    WantName,
)

BITS = {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q4_K_M": 4.9, "Q2_K": 3.2}
POLICY = FrontierPolicy(0.95, 10.0, include_invalid=False)


def scores(right: int, tasks: int = 168) -> tuple[TaskScore, ...]:
    """Return the scores of a quant that gets the first `right` of the tasks right."""
    return tuple(
        TaskScore(
            test_id=f"add-{number:04d}",
            passed=number < right,
            adherence_score=float(number < right),
            family=f"family{number % 4}",
            level=1,
        )
        for number in range(tasks)
    )


def judged(
    right: Mapping[str, int | None],
    tasks: int = 168,
    changes: dict[str, dict[str, Any]] | None = None,
) -> ModelSession:
    """Return the session of quants by how many tasks each gets right; None did not load."""
    rows: list[RowMetrics] = []
    for quant, count in right.items():
        if count is None:
            rows.append(unmeasured(quant, BITS[quant]))
        else:
            mine = {"adherence_score": count / tasks, **((changes or {}).get(quant, {}))}
            rows.append(metrics(quant, BITS[quant], **mine))
    table = {quant: () if count is None else scores(count, tasks) for quant, count in right.items()}
    return build_session("nano", rows, table, POLICY, Lane.LAB)


@pytest.mark.parametrize(
    ("banks", "expected"),
    [
        (("one", "one"), ["family0/1", "family1/1", "family2/1", "family3/1"]),
        (("one", "two"), ["one/family0/1", "one/family2/1", "two/family1/1", "two/family3/1"]),
    ],
)
def test_tasks_of_several_banks_are_told_apart(banks: tuple[str, str], expected: list[str]) -> None:
    table = tuple(
        item.model_copy(update={"bank": banks[number % 2]})
        for number, item in enumerate(scores(160))
    )
    rows = [metrics(quant, BITS[quant]) for quant in ("F16", "Q8_0")]
    found = build_session("nano", rows, {"F16": table, "Q8_0": table}, POLICY, Lane.LAB)
    assert [item.name for item in found.strata] == expected


def verdicts(session: ModelSession) -> dict[str, QuantVerdict]:
    return {item.quant_tag: item.verdict for item in session.verdicts}


def test_the_smallest_proved_quant_is_named_with_its_evidence() -> None:
    found = judged({"F16": 160, "Q8_0": 160, "Q4_K_M": 158, "Q2_K": 60})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.PROVED, "Q4_K_M")
    assert found.decision.smallest_decided
    assert found.recommendation == (
        "nano: run Q4_K_M, the smallest quant that is proved to keep at least 95% of F16's "
        "adherence (P = 0.996; of 168 tasks 2 lost, 0 won). Q2_K does not keep it."
    )


def test_t26_all_right_can_not_tell_the_quants_apart() -> None:
    found = judged({"F16": 168, "Q8_0": 168, "Q4_K_M": 168})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.TASKS_TOO_EASY, None)
    assert found.recommendation.startswith("nano: these tasks can't tell the quants apart")
    assert found.decision.next == "choose harder tasks (`task_bank:`)"
    # What it shows is evidence nevertheless.
    assert verdicts(found)["Q4_K_M"] is QuantVerdict.KEPT


def test_all_wrong_can_not_judge() -> None:
    found = judged({"F16": 10, "Q8_0": 10, "Q4_K_M": 10})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.TASKS_TOO_HARD, None)
    assert "F16 can do 0 of 168" in found.recommendation


def test_one_task_of_sixteen_proves_nothing() -> None:
    found = judged({"F16": 1, "Q8_0": 0, "Q4_K_M": 1}, tasks=16)
    assert found.decision is not None
    assert found.decision.pick is None
    assert found.recommendation == (
        "nano: these tasks are too few and too hard: F16 can do 0 of 16, and a verdict needs 20."
    )


def test_tasks_that_are_only_too_few_are_not_called_hard() -> None:
    found = judged({"F16": 16, "Q8_0": 16, "Q4_K_M": 16}, tasks=16)
    assert found.recommendation == "nano: 16 tasks, too few; a verdict needs at least 20."


def test_one_task_apart_is_undecided_and_says_how_many_more() -> None:
    found = judged({"F16": 30, "Q8_0": 29, "Q4_K_M": 28}, tasks=40)
    assert found.decision is not None
    assert found.decision.status in (DecisionStatus.LIKELY, DecisionStatus.UNDECIDED)
    assert set(verdicts(found).values()) == {QuantVerdict.KEPT, QuantVerdict.UNDECIDED}
    assert "more tasks" in found.recommendation
    assert found.decision.next is not None
    assert "more tasks of these kinds" in found.decision.next


@pytest.mark.parametrize(("middle", "which"), [(60, ""), (None, " that was measured")])
def test_the_baseline_is_proved_if_every_smaller_quant_loses(
    middle: int | None, which: str
) -> None:
    found = judged({"F16": 160, "Q4_K_M": middle, "Q2_K": 60})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.PROVED, "F16")
    assert found.decision.smallest_decided is (middle is not None)
    assert found.recommendation.startswith(
        f"nano: run F16: no smaller quant{which} keeps at least 95% of its adherence"
    )


def test_a_quant_that_did_not_load_is_named() -> None:
    found = judged({"F16": 160, "Q8_0": 160, "Q6_K": None, "Q4_K_M": 100})
    assert verdicts(found)["Q6_K"] is QuantVerdict.NOT_MEASURED
    assert "Q6_K has no verdict (it did not load)." in found.recommendation


def test_a_killed_baseline_has_no_stand_in() -> None:
    rows = [
        unmeasured("F16", 16.0).model_copy(update={"retry": True}),
        metrics("Q8_0", 8.5),
        metrics("Q2_K", 3.2),
    ]
    table = {"F16": (), "Q8_0": scores(160), "Q2_K": scores(160)}
    found = build_session("nano", rows, table, POLICY, Lane.LAB)
    assert found.decision is not None
    assert found.decision.status is DecisionStatus.BASELINE_NOT_MEASURED
    assert found.decision.pick is None
    assert found.baseline_quant is None
    assert "Rerun the same command to try again." in found.recommendation


def test_a_killed_smaller_quant_is_tried_again() -> None:
    """It is no reason to say that there is only one quant, or that the smallest one is known."""
    killed = unmeasured("Q4_K_M", 4.9).model_copy(update={"retry": True})
    table = {"F16": scores(160), "Q8_0": scores(160), "Q4_K_M": ()}
    rows = [metrics("F16", 16.0), metrics("Q8_0", 8.5), killed]
    found = build_session("nano", rows, table, POLICY, Lane.LAB).decision
    assert found is not None
    assert (found.status, found.pick) == (DecisionStatus.PROVED, "Q8_0")
    assert not found.smallest_decided
    assert found.next == "rerun the same command: it measures Q4_K_M again"


def test_the_config_s_wants_and_preference_decide() -> None:
    rows = [
        metrics("F16", 16.0, generation_tokens_per_second=10.0),
        metrics("Q8_0", 8.5, generation_tokens_per_second=20.0),
        metrics("Q4_K_M", 4.9, generation_tokens_per_second=40.0),
    ]
    table = {"F16": scores(160), "Q8_0": scores(160), "Q4_K_M": scores(160)}

    def picked(prefer: Prefer, **wants: float) -> str | None:
        asked = {WantName(name): limit for name, limit in wants.items()}
        policy = FrontierPolicy(0.95, 10.0, include_invalid=False, prefer=prefer, wants=asked)
        decision = build_session("nano", rows, table, policy, Lane.LAB).decision
        assert decision is not None
        return decision.pick

    assert picked(Prefer.SMALLEST) == "Q4_K_M"
    assert picked(Prefer.BEST) == "F16"
    assert picked(Prefer.BEST, decode_tps=15) == "Q8_0"
    assert picked(Prefer.SMALLEST, decode_tps=41) is None


def test_t28_disturbed_times_leave_the_quality() -> None:
    evidence = "3 of 9 runs and probes; first: probe 1: firefox used 58% of the cores"
    busy: dict[str, Any] = {
        "run_quality_status": Quality.POLLUTED,
        "run_quality_reasons": (Observation.of(Reason.HIGH_CPU_SATURATION, evidence),),
        "valid": False,
        "invalid_because": ("run quality is POLLUTED",),
        "quality_spoiled_by": (),
    }
    quants = {"F16": 160, "Q8_0": 160, "Q2_K": 60}
    found = judged(quants, changes=dict.fromkeys(quants, busy))
    assert found.recommendation.startswith(
        f"nano: The times of F16, Q8_0 and Q2_K don't count (HIGH_CPU_SATURATION: {evidence}); the "
        "answers do. On a quiet machine, the same command with `--config again=probes` repeats "
        "only the speed probes. Run Q8_0, the smallest quant that is proved"
    )
    assert found.decision is not None
    assert found.recommendation.startswith(found.decision.why)
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.PROVED_QUALITY, "Q8_0")
    assert "latency_s is not established" in found.recommendation
    assert found.efficiency_frontier.minimum_viable_quant_tag is None


def test_a_server_without_times_is_no_reason_to_try_again() -> None:
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "which does not matter in lane ci")
    silent: dict[str, Any] = {
        "run_quality_reasons": (busy, Observation.of(Reason.MISSING_TOKEN_TIMINGS, "no usage")),
        "valid": False,
        "invalid_because": ("token metrics are TOKEN_COUNT_UNAVAILABLE",),
        "quality_spoiled_by": (),
    }
    quants = {"F16": 160, "Q8_0": 160}
    found = judged(quants, changes=dict.fromkeys(quants, silent))
    assert "The times of F16 and Q8_0 don't count (MISSING_TOKEN_TIMINGS" in found.recommendation
    assert "again=" not in found.recommendation


def cut_scores(right: int, kind: AnswerFailure, tasks: int = 168) -> tuple[TaskScore, ...]:
    """Return scores whose failed tasks failed in one way."""
    return tuple(
        item if item.passed else item.model_copy(update={"failure": kind})
        for item in scores(right, tasks)
    )


def test_half_of_the_answers_cut_is_the_first_thing_to_change() -> None:
    cut = FailureCount(
        failure=AnswerFailure.CUT, runs=84, first="add-0084 run 1: finish_reason length, 64 tokens"
    )
    half = {"failures": (cut,), "test_runs": 168}
    found = judged({"F16": 84, "Q8_0": 84, "Q4_K_M": 84}, changes=dict.fromkeys(BITS, half))
    assert "Answers that failed for CUT" in found.recommendation
    assert "F16 84 of 168, Q8_0 84 of 168, Q4_K_M 84 of 168 runs" in found.recommendation
    assert found.decision is not None
    assert found.decision.next == (
        "raise max_output_tokens, and run the same command: 84 of 168 answers of F16 failed for CUT"
    )


@pytest.mark.parametrize(("runs", "asked", "counts"), [(1, 20, False), (2, 20, True), (1, 1, True)])
def test_one_answer_of_several_is_no_pattern(runs: int, asked: int, counts: bool) -> None:
    cut = FailureCount(failure=AnswerFailure.CUT, runs=runs, first="add-0001 run 1: 64 tokens")
    row = metrics("F16", 16.0, failures=(cut,), test_runs=asked)
    assert bool(baseline_fails(row)) is counts


def test_tasks_are_not_called_hard_when_reasoning_took_all_tokens() -> None:
    kind = AnswerFailure.CUT_IN_REASONING
    cut = FailureCount(failure=kind, runs=168, first="add-0001 run 1: finish_reason length")
    found = judged(
        {"F16": 0, "Q8_0": 0},
        changes={quant: {"failures": (cut,), "test_runs": 168} for quant in BITS},
    )
    assert "too hard" not in found.recommendation
    assert found.recommendation.startswith(
        "nano: no verdict yet: 168 of 168 answers of F16 failed for CUT_IN_REASONING "
        "(max_output_tokens ended before the answer began)."
    )
    assert found.decision is not None
    assert found.decision.next is not None
    assert found.decision.next.startswith("raise max_output_tokens, or set `thinking: off`")


def test_tasks_lost_to_the_limit_of_tokens_are_told_from_others() -> None:
    rows = [metrics("F16", 16.0), metrics("Q8_0", 8.5), metrics("Q4_K_M", 4.9)]
    table = {
        "F16": scores(160),
        "Q8_0": cut_scores(156, AnswerFailure.CUT),
        "Q4_K_M": cut_scores(100, AnswerFailure.WRONG),
    }
    found = build_session("nano", rows, table, POLICY, Lane.LAB)
    lost = {item.quant_tag: item.lost_to for item in found.verdicts}
    cut = (LostTo(failure=AnswerFailure.CUT, tasks=4),)
    assert lost == {"F16": (), "Q8_0": cut, "Q4_K_M": ()}
    assert "4 (4 CUT) lost" in found.recommendation


def test_t27_a_quant_that_did_not_load_keeps_the_server_s_words() -> None:
    words = "error loading model: tensor 'blk.0.attn_q' data is not within the file bounds"
    absent = unmeasured("Q6_K", 6.6).model_copy(update={"status_reason": words})
    rows = [metrics("F16", 16.0), metrics("Q8_0", 8.5), absent, metrics("Q2_K", 3.2)]
    table = {"F16": scores(160), "Q8_0": scores(160), "Q6_K": (), "Q2_K": scores(60)}
    found = build_session("nano", rows, table, POLICY, Lane.LAB)
    assert f"Q6_K has no verdict ({words})." in found.recommendation
    assert {item.quant_tag: item.reason for item in found.verdicts}["Q6_K"] == words
    assert verdicts(found)["Q6_K"] is QuantVerdict.NOT_MEASURED
    assert found.decision is not None
    assert found.decision.pick == "Q8_0"


def test_a_baseline_that_does_not_fit_is_named_first_with_its_numbers() -> None:
    words = "needs about 26.2 GiB, this machine has 24.0 GiB"
    absent = unmeasured("F16", 16.0).model_copy(update={"status_reason": words})
    rows = [absent, metrics("Q8_0", 8.5), metrics("Q4_K_M", 4.9)]
    table = {"F16": (), "Q8_0": scores(160), "Q4_K_M": scores(160)}
    found = build_session("nano", rows, table, POLICY, Lane.LAB)
    assert found.recommendation.startswith(
        f"nano: F16 can't be the baseline ({words}); compared with Q8_0: run Q4_K_M"
    )
    assert found.decision is not None
    assert (found.decision.baseline_quant, found.decision.stands_in_for) == ("Q8_0", "F16")


def test_one_quant_is_no_choice() -> None:
    found = judged({"Q4_K_M": 150})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.ONE_QUANT, "Q4_K_M")
    assert found.decision.probability is None
    assert found.decision.next is not None
    assert "second quant" in found.decision.next


@pytest.mark.parametrize("quants", [{"Q4_K_M": 150}, {"F16": 168, "Q4_K_M": 168}])
def test_without_a_choice_a_missed_limit_is_said(quants: dict[str, int]) -> None:
    found = judged(quants, changes={"Q4_K_M": {"total_latency": 20.0}})
    assert "Not all limits are met: Q4_K_M has latency_s 20, wanted 10." in found.recommendation


def test_nothing_within_the_latency_fits() -> None:
    slow = {"total_latency": 20.0}
    quants = {"F16": 160, "Q8_0": 160}
    found = judged(quants, changes=dict.fromkeys(quants, slow))
    assert found.decision is not None
    assert found.decision.status is DecisionStatus.NOTHING_FITS
    assert "Q8_0 has latency_s 20, wanted 10" in found.recommendation


@pytest.mark.parametrize("lost", [0, 2])
def test_a_family_that_decides_is_named(lost: int) -> None:
    """All that is lost lies in one family, without which nothing would be."""
    quant = tuple(
        item.model_copy(update={"adherence_score": 0.0, "passed": False})
        if item.family == "family1" and number < 4 * 4 * lost
        else item
        for number, item in enumerate(scores(168))
    )
    rows = [metrics("F16", 16.0), metrics("Q4_K_M", 4.9), metrics("Q2_K", 3.2)]
    table = {"F16": scores(168), "Q4_K_M": quant, "Q2_K": scores(40)}
    found = build_session("nano", rows, table, POLICY, Lane.LAB)
    named = {item.quant_tag: item.hangs_on for item in found.verdicts}
    assert named["Q4_K_M"] == ("family1" if lost else None)


@pytest.mark.parametrize("prefer", Prefer)
def test_what_fits_and_loses_is_not_called_undecided(prefer: Prefer) -> None:
    rows = [metrics("F16", 16.0, generation_tokens_per_second=10.0), metrics("Q2_K", 3.2)]
    wants = {WantName.DECODE_TPS: 15.0}
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False, prefer=prefer, wants=wants)
    table = {"F16": scores(160), "Q2_K": scores(60)}
    found = build_session("nano", rows, table, policy, Lane.LAB)
    assert found.recommendation == (
        "nano: no quant that meets all limits keeps at least 95% of F16's adherence "
        "(F16 has decode_tps 10, wanted 15). Q2_K does not keep it."
    )
    assert found.decision is not None
    assert found.decision.next == "loosen `wants:`, or add a quant between these to `quants:`"


def test_the_key_of_a_missed_limit_is_named_even_if_it_is_a_default() -> None:
    slow = {"total_latency": 20.0}
    quants = {"F16": 160, "Q8_0": 160}
    found = judged(quants, changes=dict.fromkeys(quants, slow)).decision
    assert found is not None
    assert found.next is not None
    assert found.next.startswith("loosen `wants:` or `latency_ceiling:`, or add a smaller quant")


def test_quants_that_failed_are_not_asked_for_again() -> None:
    found = judged({"F16": 160, "Q8_0": None}).decision
    assert found is not None
    assert (found.status, found.pick) == (DecisionStatus.ONE_QUANT, "F16")
    assert found.next == "see why the other quants failed, and fix the config"


def wanting_15_tps(**quants: tuple[float, int]) -> ModelSession:
    """Return a session of quants with these decode rates and tasks right, wanting 15 tokens/s."""
    rows = [
        metrics(quant, BITS[quant], generation_tokens_per_second=rate)
        for quant, (rate, _) in quants.items()
    ]
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False, wants={WantName.DECODE_TPS: 15.0})
    table = {quant: scores(right) for quant, (_, right) in quants.items()}
    return build_session("nano", rows, table, policy, Lane.LAB)


def test_the_baseline_is_run_if_every_smaller_quant_is_lost_or_too_slow() -> None:
    found = wanting_15_tps(F16=(20.0, 160), Q4_K_M=(10.0, 160), Q2_K=(20.0, 60))
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.PROVED, "F16")
    assert found.recommendation.startswith(
        "nano: run F16: no smaller quant that meets all limits keeps at least 95%"
    )


def test_if_limits_decide_no_probability_is_claimed() -> None:
    found = wanting_15_tps(F16=(20.0, 160), Q4_K_M=(10.0, 160))
    assert found.decision is not None
    assert (found.decision.pick, found.decision.probability) == ("F16", None)
    assert "keeps at least 95% of its adherence." in found.recommendation


def test_an_undecided_quant_that_misses_a_limit_does_not_suffice() -> None:
    found = wanting_15_tps(F16=(20.0, 160), Q8_0=(20.0, 160), Q4_K_M=(10.0, 154))
    assert verdicts(found)["Q4_K_M"] is QuantVerdict.UNDECIDED
    assert "run Q8_0" in found.recommendation
    assert "Q4_K_M" not in found.recommendation
    assert found.decision is not None
    assert found.decision.next is None
