"""From rows to a model's session: frontier, comparisons with the baseline, recommendation."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.analysis.fidelity.of_rows import fidelity_of_rows
from orket_lib.analysis.frontier import (
    FrontierPolicy,
    best_value,
    by_bits,
    does_nothing,
    eligible_rows,
    minimum_viable,
    pareto_rows,
    vibe_delta,
)
from orket_lib.analysis.session_batches import asked_less, session_batches
from orket_lib.analysis.statistics import mcnemar_exact
from orket_lib.analysis.verdict.caveats import baseline_fails, caveats, disturbed_times
from orket_lib.analysis.verdict.next_step import next_step
from orket_lib.analysis.verdict.of_rows import Scores, graded_tasks, judge_rows
from orket_lib.analysis.verdict.quants import VerdictPolicy, decision_of
from orket_lib.analysis.verdict.sentences import sentence
from orket_lib.analysis.verdict.thinking import thinking_costs
from orket_lib.analysis.verdict.wants import wants_of
from orket_lib.artifacts.views.kld import Kld
from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.summary import (
    Comparison,
    EfficiencyFrontier,
    ModelSession,
    RecommendationDetail,
    SummaryRow,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import DropReason, FidelityMode, Lane, RunStatus
from orket_lib.vocabulary.thresholds import QUICK_TASKS

_NO_KLD = Null("NO_KLD")


def build_session(
    model_id: str,
    rows: Sequence[RowMetrics],
    scores: Scores,
    policy: FrontierPolicy,
    lane: Lane,
    look: Look | None = None,
    kld: Kld | None = None,
) -> ModelSession:
    """Return the session of one model.

    Args:
        model_id: The model.
        rows: Its rows, in any order.
        scores: The task scores of each quant.
        policy: Limits and preference.
        lane: In lane ci nothing is ranked by speed, and the recommendation says so.
        look: The last look, if the tasks are asked in batches.
        kld: How far the probabilities differ, if they were measured.
    """
    ordered = by_bits(rows)
    asked = VerdictPolicy(policy.adherence_threshold, policy.prefer)
    wants = wants_of(policy, lane)
    verdicts = judge_rows(ordered, scores, wants, asked, policy.include_invalid)
    standing, absent = verdicts.baseline.used, verdicts.baseline.replaces
    baseline = next((row for row in ordered if standing and row.quant_tag == standing.quant), None)
    eligible = eligible_rows(ordered, baseline, policy, lane) if baseline else []
    smallest, value = minimum_viable(eligible), best_value(eligible, lane)
    mixed = mixtures(ordered)
    fails = baseline_fails(baseline)
    evidence = Evidence(
        policy.fidelity,
        fidelity_of_rows(ordered, scores, baseline, policy.include_invalid, kld)
        if baseline and policy.fidelity is not FidelityMode.OFF
        else (),
    )
    batches = session_batches(ordered, look) if look else None
    easiest = policy.quick and batches is not None and batches.tasks < batches.tasks_in_all
    tasks = max((row.tasks or 0 for row in ordered), default=0)
    all_asked = not easiest and tasks < QUICK_TASKS  # so that there are no more to ask
    why = sentence(model_id, verdicts, evidence, asked, disturbed_times(ordered), fails, easiest)
    frontier = EfficiencyFrontier(
        adherence_threshold=policy.adherence_threshold,
        latency_ceiling=policy.latency_ceiling,
        minimum_viable_quant_tag=_tag(smallest),
        best_value_quant_tag=_tag(value),
        optimal_quant_tag=None if lane is Lane.CI else _tag(smallest),
        reason=_reason(baseline, eligible, lane),
        include_invalid=policy.include_invalid,
        pareto_quants=[row.quant_tag for row in pareto_rows(ordered, policy.include_invalid, lane)],
    )
    return ModelSession(
        model_id=model_id,
        baseline_quant=_tag(baseline),
        baseline_substituted_for=absent.quant if absent else None,
        per_quant=[_summary_row(row, baseline, evidence) for row in ordered],
        comparisons=_comparisons(ordered, baseline, scores),
        verdicts=verdicts.verdicts,
        strata=verdicts.judging.strata if verdicts.judging else (),
        fidelity=evidence.found,
        decision=decision_of(
            verdicts,
            evidence,
            asked.prefer,
            why,
            next_step(verdicts, evidence, fails, policy.quick and not all_asked),
        ),
        batches=batches,
        mixtures=mixed,
        efficiency_frontier=frontier,
        recommendation_detail=RecommendationDetail(
            minimum_viable_quant=_tag(smallest), best_value_quant=_tag(value)
        ),
        recommendation=" ".join(
            [
                why,
                *asked_less(ordered, batches, policy.quick),
                *thinking_costs(ordered, {_tag(baseline), verdicts.pick.quant}),
                *caveats(ordered, lane, policy.include_invalid),
                *mixed,
            ]
        ),
    )


def mixtures(rows: Sequence[RowMetrics]) -> tuple[str, ...]:
    """Return a sentence for each reason why a model's rows can't be compared fairly."""
    measured = [row for row in rows if row.status is RunStatus.MEASURED]
    tags: dict[str, list[str]] = {}
    for row in measured:
        identity = row.artifact.sha256 or row.artifact.digest
        if identity and row.variant is None:
            tags.setdefault(identity, []).append(row.quant_tag)
    found = [f"{' and '.join(names)} are the same file." for names in tags.values() if names[1:]]
    builds = {row.artifact.build for row in measured}
    if len(builds) > 1:
        listed = ", ".join(sorted(map(str, builds)))
        found.append(f"The rows were measured with different server builds: {listed}.")
    return tuple(found)


def compare(
    quant: str, scores: Sequence[TaskScore], baseline: str, baseline_scores: Sequence[TaskScore]
) -> Comparison:
    """Return the tasks lost and won by a quant, over the graded tasks that both have."""
    before = {score.test_id: score.passed for score in graded_tasks(baseline_scores)}
    pairs = [(before[s.test_id], s.passed) for s in graded_tasks(scores) if s.test_id in before]
    lost, won = pairs.count((True, False)), pairs.count((False, True))
    return Comparison(
        quant_tag=quant,
        baseline_quant=baseline,
        tasks=len(pairs),
        correct_to_wrong=lost,
        wrong_to_correct=won,
        p_value=mcnemar_exact(lost, won),
    )


def _comparisons(
    rows: Sequence[RowMetrics], baseline: RowMetrics | None, scores: Scores
) -> list[Comparison]:
    if baseline is None:
        return []
    return [
        compare(
            row.quant_tag, scores[row.quant_tag], baseline.quant_tag, scores[baseline.quant_tag]
        )
        for row in rows
        if row.quant_tag != baseline.quant_tag and row.adherence_score is not None
    ]


def _summary_row(row: RowMetrics, baseline: RowMetrics | None, evidence: Evidence) -> SummaryRow:
    delta = vibe_delta(row, baseline)
    off = evidence.mode is FidelityMode.OFF
    agreed = next((it.agreement for it in evidence.found if it.quant_tag == row.quant_tag), None)
    unknown = Null("FIDELITY_OFF" if off else "NO_VALID_BASELINE")
    readings = {name: row.reading(name) for name in RowMetrics.readings()}
    decided = row.dropped is not None and row.dropped.reason is DropReason.DECIDED
    divergence = evidence.divergences.get(row.quant_tag)
    return SummaryRow.of(
        **{name: getattr(row, name) for name in RowMetrics.model_fields if name != "null_reasons"}
        | readings,
        vibe_delta=delta,
        decided_after=row.tasks if decided else None,
        vibe_delta_status=delta.reason if isinstance(delta, Null) else "OK",
        **{
            name: agreed.reading(name) if agreed else unknown
            for name in ("same_answer_rate", "same_start_share")
        },
        kld_mean=divergence.reading("mean") if divergence else _NO_KLD,
        kld_same_top=divergence.reading("same_top") if divergence else _NO_KLD,
    )


def _reason(baseline: RowMetrics | None, eligible: Sequence[RowMetrics], lane: Lane) -> str | None:
    if baseline is None:
        return "NO_VALID_BASELINE"
    if baseline.adherence_score is None:
        return "NO_EXPECTED_ANSWER"
    if does_nothing(baseline):
        return "BASELINE_DOES_NOTHING"
    if not eligible:
        return "NO_ELIGIBLE_QUANT"
    return "LANE_CI" if lane is Lane.CI else None


def _tag(row: RowMetrics | None) -> str | None:
    return row.quant_tag if row else None
