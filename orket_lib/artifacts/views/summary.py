"""The sweep summary: all rows of all models, with frontier and recommendation per model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from orket_lib.artifacts.base import Labelled, Measured, Reading, Record, Share, Time, volatile
from orket_lib.artifacts.views.fidelity import Fidelity
from orket_lib.artifacts.views.ranking import Ranking
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.verdict import Decision, TaskStratum, Verdict
from orket_lib.vocabulary.providers import OF_A_SERVER


class SummaryRow(RowMetrics):
    """A row with its comparison to the session's baseline."""

    vibe_delta: Reading = Field(description="adherence lost per GiB saved against the baseline")
    vibe_delta_status: str
    same_answer_rate: Reading = Field(
        None,
        description="share of answers that are the baseline's, see `fidelity` of the session; of "
        "the baseline: that its second run repeats",
    )
    same_start_share: Reading = Field(
        None, description="mean share of an answer before its first difference from the baseline's"
    )
    kld_mean: Reading = Field(
        None,
        description="mean KL divergence of its probabilities from the baseline's; of the baseline: "
        "of its second measurement from its first",
    )
    kld_same_top: Share = Field(
        None, description="share of places where both have the same most probable token"
    )
    decided_after: int | None = Field(
        None, description="tasks after which it was decided, and asked no further; else null"
    )


class Comparison(Record):
    """A quant compared with the baseline, task by task (paired)."""

    quant_tag: str
    baseline_quant: str
    tasks: int
    correct_to_wrong: int
    wrong_to_correct: int
    p_value: float = Field(description="exact two-sided McNemar test on the flips")


class SessionBatches(Record):
    """How much of a model's tasks was asked, if they are asked in batches."""

    batches: int = Field(description="how many there are at most")
    tasks: int = Field(description="most tasks that a quant was asked")
    tasks_in_all: int
    runs: int = Field(description="graded runs that took place")
    runs_in_all: int = Field(description="graded runs of all quants over all batches")
    seconds: float | None = Field(
        description="time that this sweep measured the model; null without a budget"
    )
    budget_seconds: float | None = Field(description="for this model; null = no budget")


class EfficiencyFrontier(Record):
    """Which quants of a model are worth running."""

    adherence_threshold: float = Field(description="ratio of the baseline's adherence")
    latency_ceiling: float = Field(description="s")
    minimum_viable_quant_tag: str | None
    best_value_quant_tag: str | None
    optimal_quant_tag: str | None = Field(
        description="the quant that the recommendation names; null in lane ci, as best value is"
    )
    reason: str | None = Field(description="why one of the tags is null")
    include_invalid: bool
    pareto_quants: tuple[str, ...]


class RecommendationDetail(Record):
    """The recommended quants."""

    minimum_viable_quant: str | None
    best_value_quant: str | None


class ModelSession(Record):
    """All rows of one model."""

    model_id: str
    baseline_quant: str | None
    baseline_substituted_for: str | None = Field(
        description="the quant with the most bits, if another one replaces it as baseline"
    )
    per_quant: tuple[SummaryRow, ...] = Field(description="most bits first")
    comparisons: tuple[Comparison, ...]
    verdicts: tuple[Verdict, ...] = Field(
        (), description="for every quant of the config, most bits first; empty in older files"
    )
    strata: tuple[TaskStratum, ...] = Field(
        (), description="tasks that the baseline solves reliably: only these count in the verdicts"
    )
    fidelity: tuple[Fidelity, ...] = Field(
        (),
        description="for every quant of the config, most bits first; the baseline's is the noise "
        "floor. Empty without a baseline, with `fidelity: off`, and in older files",
    )
    decision: Decision | None = Field(None, description="null in older files")
    batches: SessionBatches | None = Field(
        None, description="null when all tasks are asked at once"
    )
    mixtures: tuple[str, ...] = Field(
        description="why this model's rows are not comparable: one file under two tags, two builds"
    )
    efficiency_frontier: EfficiencyFrontier
    recommendation_detail: RecommendationDetail
    recommendation: str = Field(description="the decision in words")


class StabilityKpis(Measured):
    """Stability of the sweep as a whole; rates are weighted by runs."""

    determinism_rate: Reading
    missing_telemetry_rate: Reading
    polluted_run_rate: Reading
    polluted_run_rate_as_asked: float | None = Field(
        None,
        description="rows whose answers don't count; null unless the config says "
        "`canary_on_latency: quality_only`",
    )
    frontier_success_rate: Reading = Field(description="models with an eligible valid row")
    frontier_success_rate_as_asked: float | None = Field(
        None,
        description="the same with invalid rows, if they are included, and with rows of which only "
        "the times don't count, if `canary_on_latency: quality_only`; else null",
    )
    quant_rows: int
    sessions: int
    weighted_runs: int


class FailedRow(Record):
    """A cell without a measurement."""

    model_id: str
    quant_tag: str
    status: str
    status_reason: str | None


class CanaryDrift(Measured):
    """The canary before and after the sweep."""

    model_id: str
    quant_tag: str
    opened_at: Time = volatile("UTC")
    closed_at: Time = volatile("UTC")
    opening_seconds: Reading = Field(description="median of the probe-sized generations")
    closing_seconds: Reading
    drift: Reading = Field(description="closing / opening - 1; above 0 the machine became slower")
    p_value: Reading = Field(description="two-sided rank-sum test of the generations' seconds")
    same_answers: bool | None = Field(
        description="whether every task scored as before; null when no task is graded"
    )
    failure: str | None = Field(description="why the closing canary could not be measured")


class CanarySummary(Measured):
    """The canary's verdict, as the summary repeats it."""

    enabled: bool
    passed: bool
    failed_reasons: tuple[str, ...]
    explanations: tuple[str, ...] = Field(
        (), description="a sentence for each failed reason; empty in older files"
    )
    quality_only: bool = Field(
        False, description="it failed by latency alone: quality was measured, speeds were left out"
    )
    adherence_variance: Reading
    internal_latency_cv: Reading
    latency_variance_threshold: float
    drifts: tuple[CanaryDrift, ...] = Field((), description="empty without a closing canary")


class _Settings(Record):
    """The types of the settings of a sweep, or of one of its models, that views read."""

    sweep: str | None = None
    models: tuple[str, ...] = ()
    quants: tuple[str, ...] = ()
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)
    model_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    provider: str | None = None
    base_url: str | None = None
    server_binary: str | None = None
    server_args: tuple[str | int | float, ...] = ()
    n_ctx: int | None = None
    kpi_policy: str | None = None
    wants: dict[str, float] | None = None
    context_quants: tuple[str, ...] = ()


class Summary(Labelled):
    """The results of a sweep."""

    schema_version: Literal["orket.summary.v1"] = "orket.summary.v1"
    commit_sha: str | None = volatile("commit of the checkout; null outside a checkout")
    matrix: dict[str, Any] = Field(description="the resolved config, without secrets")
    canary: CanarySummary
    sessions: tuple[ModelSession, ...]
    ranking: Ranking | None = Field(
        None, description="of all models together; null for one model, and in older files"
    )
    stability_kpis: StabilityKpis
    failed_rows: tuple[FailedRow, ...]

    @field_validator("matrix")
    @classmethod
    def _settings_have_their_types(cls, matrix: dict[str, Any]) -> dict[str, Any]:
        for own in _Settings.model_validate(matrix).model_settings.values():
            _Settings.model_validate(own)
        return matrix

    def settings_of(self, model: str) -> dict[str, Any]:
        """Return the config of one model: its own settings in place of the sweep's."""
        own = self.matrix.get("model_settings", {}).get(model)
        if own is None:
            return self.matrix
        other = own.get("provider", self.matrix.get("provider")) != self.matrix.get("provider")
        return {**self.matrix, **(dict.fromkeys(OF_A_SERVER) if other else {}), **own}
