from __future__ import annotations

import random
from typing import Any

import pytest
from builders import metrics, polluted, row, unmeasured

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.summaries import SummaryBody, summarize
from orket_lib.analysis.verdict import further_tasks, kept_share, stability
from orket_lib.artifacts.views.row import Row, RowMetrics, TaskScore
from orket_lib.vocabulary.statuses import Lane, RunStatus

POLICY = FrontierPolicy(0.9, 10, include_invalid=False)


def rows() -> list[Row]:
    """Return rows of two models whose figures don't add up the same way in every order."""
    found = []
    for model in ("b-model", "a-model"):
        for number, tag in enumerate(("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")):
            figures = metrics(
                tag,
                16.0 / (number + 1),
                model_id=model,
                determinism_rate=1 / (number + 3),
                test_runs=7 * number + 1,
                adherence_score=0.9 + number / 100,
            )
            found.append(row(figures))
        found.append(row(polluted("Q2_K", 2.0, model_id=model)))
    found.append(row(unmeasured("IQ1_S", 1.5).model_copy(update={"model_id": "a-model"})))
    return found


def summary(listed: list[Row]) -> SummaryBody:
    return summarize(listed, ["b-model", "a-model"], POLICY, Lane.LAB)


def test_a_summary_does_not_depend_on_the_order_of_its_rows() -> None:
    listed = rows()
    expected = summary(listed)
    rng = random.Random(7)
    for _ in range(50):
        rng.shuffle(listed)
        assert summary(listed) == expected


def test_sessions_come_in_the_order_of_the_config_and_rows_by_bits() -> None:
    found = summary(rows())
    assert [session.model_id for session in found.sessions] == ["b-model", "a-model"]
    for session in found.sessions:
        ranks = [line.quant_rank or 0.0 for line in session.per_quant]
        assert ranks == sorted(ranks, reverse=True)


def test_a_cell_without_a_measurement_is_listed_as_failed() -> None:
    (failed,) = summary(rows()).failed_rows
    assert (failed.model_id, failed.quant_tag) == ("a-model", "IQ1_S")
    assert failed.status == RunStatus.LOAD_FAILED
    assert failed.status_reason == "it did not load"


def test_a_model_without_rows_is_no_session() -> None:
    found = summarize(rows()[:7], ["b-model", "a-model"], POLICY, Lane.LAB)
    assert [session.model_id for session in found.sessions] == ["b-model"]


def test_include_invalid_adds_a_kpi_and_changes_none() -> None:
    lenient = FrontierPolicy(0.9, 10, include_invalid=True)
    listed = [row(polluted("F16", 16.0)), row(polluted("Q8_0", 8.5))]
    strict = summarize(listed, ["nano"], POLICY, Lane.LAB)
    other = summarize(listed, ["nano"], lenient, Lane.LAB)
    assert strict.stability_kpis.frontier_success_rate == 0.0
    assert strict.stability_kpis.frontier_success_rate_as_asked is None
    assert other.stability_kpis.frontier_success_rate_as_asked == 1.0
    same = other.stability_kpis.model_copy(update={"frontier_success_rate_as_asked": None})
    assert same == strict.stability_kpis


def test_several_models_are_ranked_together_and_one_is_not() -> None:
    found = summary(rows()).ranking
    assert found is not None
    assert {cell.model_id for cell in found.cells} == {"a-model", "b-model"}
    assert {(cell.model_id, cell.quant_tag) for cell in found.unranked} == {
        *(("a-model", "Q2_K"), ("b-model", "Q2_K"), ("a-model", "IQ1_S"))
    }
    assert summarize(rows()[:7], ["b-model"], POLICY, Lane.LAB).ranking is None


def test_what_models_share_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def counted(*arguments: Any) -> Any:
        computed.append(1)
        return probabilities_kept(*arguments)

    probabilities_kept = kept_share.probabilities_kept
    for module in (kept_share, further_tasks, stability):
        monkeypatch.setattr(module, "probabilities_kept", counted)
    policy = FrontierPolicy(0.9371, 10, include_invalid=False)  # unlike in all other tests
    counts = []
    for models in (1, 20):
        names = [f"model-{number}" for number in range(models)]
        listed = [row(it, answers(it.quant_tag)) for name in names for it in two_quants(name)]
        assert len(summarize(listed, names, policy, Lane.LAB).sessions) == models
        counts.append(len(computed))
    assert counts[0] > 0
    assert counts[1] == counts[0]


def two_quants(model: str) -> list[RowMetrics]:
    return [metrics("F16", 16.0, model_id=model), metrics("Q8_0", 8.0, model_id=model)]


def answers(quant: str) -> tuple[TaskScore, ...]:
    """Return 40 scores; Q8_0 loses two tasks that F16 has, and both fail every fifth."""
    lost = (3, 8) if quant == "Q8_0" else ()
    made = []
    for number in range(40):
        right = number % 5 > 0 and number not in lost
        made.append(score(f"add-{number:04d}", right))
    return tuple(made)


def score(task: str, right: bool) -> TaskScore:
    fields = {"test_id": task, "family": "add", "level": 1, "passed": right}
    return TaskScore.of(**fields, adherence_score=float(right), answer=None, answer_sha256=None)
