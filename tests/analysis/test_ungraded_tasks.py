"""Tasks without an expected answer: they count for agreement, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from builders import NOW, STRICT, metrics, report, run, unmeasured

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.analysis.canary import judge_canary
from orket_lib.analysis.canary_drift import canary_drifts
from orket_lib.analysis.frontier import FrontierPolicy, vibe_delta
from orket_lib.analysis.kpis import gate_failures, stability_kpis
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.rows.row import build_row
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryPolicy, CanaryRun
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.kpis import KpiPolicy
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import (
    AnswerFailure,
    DecisionStatus,
    Lane,
    Outcome,
    QuantVerdict,
    RunStatus,
    SidecarStatus,
    TokenStatus,
)

NOT_GRADED = Null("NO_EXPECTED_ANSWER")
POLICY = FrontierPolicy(0.95, 10.0, include_invalid=False)


def ungraded(
    task_id: int, index: int = 0, outcome: Outcome = Outcome.ANSWERED, answer: str = "1"
) -> TestRun:
    return run(task_id, index, outcome, answer, adherence_score=NOT_GRADED, family="chat")


def row(*runs: TestRun) -> RowMetrics:
    made = report(test_runs=runs)
    return build_row(made, STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, "run.json")


# Rows


def test_adherence_is_over_graded_tasks_only() -> None:
    mixed = (run(1), run(2, outcome=Outcome.FAIL, answer="9"), ungraded(3), ungraded(4))
    found = row(*mixed)
    assert found.adherence_score == 0.5
    assert [(item.family, item.tasks) for item in found.adherence_by_family] == [("add", 2)]
    assert (found.test_runs, found.failed_runs, found.valid) == (4, 0, True)
    # Their times and tokens were measured like all others.
    assert found.missing_telemetry_rate == 0.0
    assert found.total_latency == pytest.approx(0.32)


def test_without_graded_tasks_adherence_is_null_with_a_reason() -> None:
    found = row(ungraded(1), ungraded(2))
    assert found.reading("adherence_score") == NOT_GRADED
    assert found.adherence_by_family == ()
    assert found.valid
    assert found.energy is not None
    assert found.energy.reading("joules_per_correct_answer") == NOT_GRADED


def test_determinism_counts_all_answers() -> None:
    same = (ungraded(1, 0), ungraded(1, 1))
    changed = (ungraded(2, 0), ungraded(2, 1, answer="2"))
    assert row(*same, *changed).determinism_rate == 0.5


def test_failures_are_named_and_an_empty_answer_is_one() -> None:
    found = row(ungraded(1, outcome=Outcome.TIMEOUT), ungraded(2, answer=" "), ungraded(3))
    assert {item.failure: item.runs for item in found.failures} == {
        AnswerFailure.EMPTY: 1,
        AnswerFailure.TIMEOUT: 1,
    }
    assert found.failed_runs == 1


def test_a_task_score_says_that_it_is_none() -> None:
    (score,) = task_scores([ungraded(1)])
    assert score.reading("adherence_score") == NOT_GRADED
    assert (score.passed, score.answer_sha256) == (False, ungraded(1).answer_sha256)
    (empty,) = task_scores([ungraded(1, answer="")])
    assert empty.answer_sha256 is None
    loaded = TaskScore.model_validate_json(score.model_dump_json())
    assert loaded == score


def scores(answers: Mapping[int, str | None], graded: bool = False) -> tuple[TaskScore, ...]:
    return tuple(
        TaskScore.of(
            test_id=f"chat-{number:04d}",
            passed=graded,
            adherence_score=1.0 if graded else NOT_GRADED,
            family="chat",
            level=1,
            answer=answer,
        )
        for number, answer in answers.items()
    )


# Verdicts


BITS = {"F16": 16.0, "Q8_0": 8.5, "Q4_K_M": 4.9}


def session(rows: Sequence[RowMetrics], table: Mapping[str, Sequence[TaskScore]]) -> ModelSession:
    return build_session("nano", rows, table, POLICY, Lane.LAB)


def of_prompts(agreeing: Mapping[str, int], tasks: int = 40) -> ModelSession:
    """Return the session of quants that repeat the first answers of the baseline."""
    rows = [metrics(tag, BITS[tag], adherence_score=NOT_GRADED) for tag in agreeing]
    table = {
        tag: scores({n: str(n) if n < same else f"{tag} {n}" for n in range(tasks)})
        for tag, same in agreeing.items()
    }
    return session(rows, table)


def test_prompts_alone_give_agreement_and_no_verdict() -> None:
    found = of_prompts({"F16": 40, "Q8_0": 38, "Q4_K_M": 10})
    assert found.decision is not None
    assert (found.decision.status, found.decision.pick) == (DecisionStatus.TASKS_NOT_GRADED, None)
    assert found.decision.probability is None
    assert found.recommendation.startswith(
        "nano: quality is not judged, because no task has an expected answer. By agreement "
        "with F16's answers, most first: Q8_0 (38 of 40 are the same), Q4_K_M (10 of 40)."
    )
    assert found.decision.next == (
        "give the tasks expected answers, or add a bank that has them (`task_bank:`)"
    )
    assert {item.quant_tag: (item.verdict, item.reason) for item in found.verdicts} == {
        "F16": (QuantVerdict.KEPT, "BASELINE"),
        "Q8_0": (QuantVerdict.UNDECIDED, "TASKS_NOT_GRADED"),
        "Q4_K_M": (QuantVerdict.UNDECIDED, "TASKS_NOT_GRADED"),
    }
    assert [item.same_answer_rate for item in found.per_quant] == [None, 0.95, 0.25]
    assert found.strata == ()
    assert [item.tasks for item in found.comparisons] == []
    frontier = found.efficiency_frontier
    assert (frontier.minimum_viable_quant_tag, frontier.reason) == (None, "NO_EXPECTED_ANSWER")
    assert found.baseline_quant == "F16"
    assert [item.reading("vibe_delta") for item in found.per_quant] == [0.0, NOT_GRADED, NOT_GRADED]


def test_prompts_beside_graded_tasks_change_no_verdict() -> None:
    right = {"F16": 160, "Q8_0": 159, "Q4_K_M": 80}
    graded = {
        tag: tuple(
            TaskScore(
                test_id=f"add-{n:04d}",
                passed=n < count,
                adherence_score=float(n < count),
                family="add",
                level=1,
            )
            for n in range(168)
        )
        for tag, count in right.items()
    }
    rows = [metrics(tag, BITS[tag], adherence_score=count / 168) for tag, count in right.items()]
    alone = session(rows, graded)
    prompts = {"F16": scores({1: "a"}), "Q8_0": scores({1: "b"}), "Q4_K_M": scores({1: "b"})}
    beside = session(rows, {tag: graded[tag] + prompts[tag] for tag in right})
    assert beside.verdicts == alone.verdicts
    assert [item.same_answer_rate for item in beside.per_quant] == [None, 0.0, 0.0]
    assert beside.comparisons == alone.comparisons
    assert beside.strata == alone.strata
    assert beside.efficiency_frontier == alone.efficiency_frontier
    assert beside.decision is not None
    assert alone.decision is not None
    assert beside.decision.pick == alone.decision.pick == "Q8_0"
    assert (
        "Right, but different: 0 of 1 answers of Q8_0 are the same as F16's"
        in beside.recommendation
    )


def test_one_quant_is_the_only_one() -> None:
    found = of_prompts({"F16": 40})
    assert found.decision is not None
    assert found.decision.status is DecisionStatus.ONE_QUANT


def test_failures_of_prompts_count_as_different() -> None:
    rows = [
        row(ungraded(1), ungraded(2, outcome=Outcome.TIMEOUT)).model_copy(
            update={"quant_tag": tag, "quant_rank": BITS[tag] * 100}
        )
        for tag in ("F16", "Q8_0")
    ]
    found = session(rows, dict.fromkeys(("F16", "Q8_0"), scores({1: "1", 2: None})))
    assert "count as different from the baseline's: F16 1 of 2" in (found.recommendation)


def test_a_delta_of_an_unmeasured_row_keeps_its_reason() -> None:
    base = metrics("F16", 16.0, adherence_score=NOT_GRADED)
    assert vibe_delta(unmeasured("Q2_K", 3.2), base) == Null("NOT_MEASURED")


# KPIs


def test_the_share_of_frontiers_is_null_without_graded_tasks() -> None:
    prompts = [metrics("F16", 16.0, adherence_score=NOT_GRADED)]
    found = stability_kpis([prompts], POLICY, Lane.LAB)
    assert found.reading("frontier_success_rate") == NOT_GRADED
    assert found.determinism_rate == 1.0
    policy = KpiPolicy(
        max_missing_telemetry_rate=0,
        max_polluted_run_rate=0,
        min_frontier_success_rate=0.8,
        min_determinism_rate=1,
    )
    assert gate_failures(found, policy) == (
        "frontier_success_rate=null (no task has an expected answer)",
    )
    both = stability_kpis([prompts, [metrics("F16", 16.0)]], POLICY, Lane.LAB)
    assert both.frontier_success_rate == 0.5


# Canary


def canary(*runs: tuple[str, float | Null], at: str = NOW) -> CanaryMeasurement:
    spec = CanarySpec(
        **report().spec.model_dump(exclude={"kind", "runs_per_task", "probe_runs"}), runs=3
    )
    return CanaryMeasurement(
        generated_at=NOW,
        provenance=report().provenance,
        measured_at=at,
        boot_id="boot",
        hardware_fingerprint="x",
        spec=spec,
        spec_digest=spec.digest(),
        failure=None,
        sessions=(),
        runs=tuple(
            CanaryRun.of(
                test_id=name,
                run_index=index,
                outcome=Outcome.ANSWERED,
                adherence_score=score,
                token_status=TokenStatus.OK,
                internal_model_seconds=1.0,
            )
            for index, (name, score) in enumerate(runs)
        ),
    )


def canary_policy() -> CanaryPolicy:
    return CanaryPolicy(
        enabled=True,
        latency_variance_threshold=0.03,
        drop_first_run=False,
        max_missing_telemetry_rate=0.0,
        max_age_hours=24,
    )


def test_a_canary_of_prompts_has_no_variance_of_adherence() -> None:
    found = judge_canary([canary(*[("a", NOT_GRADED)] * 3)], canary_policy())
    assert found.figures.reading("adherence_variance") == NOT_GRADED
    assert found.failures == ()
    mixed = judge_canary(
        [canary(("a", NOT_GRADED), ("b", 1.0), ("b", 0.0), ("a", NOT_GRADED))], canary_policy()
    )
    assert mixed.figures.adherence_variance == 1.0
    assert [code for code, _ in mixed.failures] == ["ADHERENCE_VARIANCE_NON_ZERO"]


def test_a_drift_of_prompts_does_not_claim_the_same_scores() -> None:
    before, after = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    prompts = [canary(*[("a", NOT_GRADED)] * 3, at=at) for at in (before, after)]
    (drift,) = canary_drifts(prompts[:1], prompts[1:], drop_first=False)
    assert drift.same_answers is None
    assert drift.drift == 0
    graded = [canary(*[("a", 1.0)] * 3, at=at) for at in (before, after)]
    (drift,) = canary_drifts(graded[:1], graded[1:], drop_first=False)
    assert drift.same_answers is True


# Baselines of regressions


def test_prompts_have_no_baseline_records() -> None:
    made = report(test_runs=(run(1), ungraded(2)))
    assert made.status is RunStatus.MEASURED
    revisions = {"add-0001": "r", "chat-0002": "r"}
    assert list(baselines_of(made, revisions, clean=True)) == ["add-0001"]
