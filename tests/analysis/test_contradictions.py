"""A summary that contradicts itself is found out, and one of ours never is."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.analysis.contradictions import contradictions
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane

TWO = [row("F16", 16.0, 0.9), row("Q8_0", 8.5, 0.9)]

OURS: dict[str, list[list[RowMetrics]]] = {
    "no session": [],
    "seven": [seven()],
    "two models": [seven(), [row("Q8_0", 8.5, 0.5, model_id="other")]],
    "a failure": [[row("F16", 16.0, 0.9), failed("Q8_0", 8.5)]],
    "nothing but failures": [[failed("F16", 16.0)]],
    "polluted": [[polluted("F16", 16.0, 0.9, "hot"), row("Q8_0", 8.5, 0.8)]],
    "all polluted": [[polluted("F16", 16.0, 0.9, "hot"), polluted("Q8_0", 8.5, 0.9, "hot")]],
    "does nothing": [[row("F16", 16.0, 0.01)]],
    "slow": [[row("F16", 16.0, 0.9, total_latency=99.0)]],
    "one run each": [[row("F16", 16.0, 0.9, determinism_rate=Null("ONE_RUN_PER_TASK"))]],
}


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("include_invalid", [False, True])
@pytest.mark.parametrize("models", OURS.values(), ids=OURS.keys())
def test_what_we_write_never_contradicts_itself(
    models: list[list[RowMetrics]], include_invalid: bool, lane: Lane
) -> None:
    found = summary(*models, lane=lane, include_invalid=include_invalid)
    quants = list(dict.fromkeys(item.quant_tag for rows in models for item in rows))
    if len({len(rows) for rows in models}) <= 1:  # else no matrix has these cells
        found.matrix.update(models=[rows[0].model_id for rows in models], quants=quants)
    assert contradictions(found) == []


def changed(**changes: Any) -> Summary:
    """Return a summary of F16 and Q8_0 with changes; `__` leads into what is nested."""
    content = summary(TWO).model_dump(mode="json")
    content["matrix"] |= {"models": ["orket-nano"], "quants": ["F16", "Q8_0"]}
    for place, value in changes.items():
        *path, last = [int(key) if key.isdigit() else key for key in place.split("__")]
        part: Any = content
        for step in path:
            part = part[step]
        part[last] = value
    return Summary.model_validate(content)


_FRONTIER = "sessions__0__efficiency_frontier"
_DETAIL = "sessions__0__recommendation_detail"
_ROW = "sessions__0__per_quant__1"
_THERE = "which has no row (there are F16, Q8_0)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {
                f"{_FRONTIER}__minimum_viable_quant_tag": "Q9",
                f"{_DETAIL}__minimum_viable_quant": "Q9",
            },
            [
                f"orket-nano: efficiency_frontier.minimum_viable_quant_tag names Q9, {_THERE}",
                f"orket-nano: recommendation_detail.minimum_viable_quant names Q9, {_THERE}",
            ],
        ),
        (
            {f"{_FRONTIER}__optimal_quant_tag": "Q9", f"{_FRONTIER}__pareto_quants": ["F16", "Q1"]},
            [
                f"orket-nano: efficiency_frontier.optimal_quant_tag names Q9, {_THERE}",
                f"orket-nano: efficiency_frontier.pareto_quants names Q1, {_THERE}",
            ],
        ),
        (
            {f"{_DETAIL}__best_value_quant": "Q8_0"},
            [
                "orket-nano: efficiency_frontier.best_value_quant_tag is F16, and "
                "recommendation_detail.best_value_quant is Q8_0"
            ],
        ),
        (
            {"sessions__0__baseline_quant": "Q8_0"},
            ["orket-nano: Q8_0 is compared with F16, and the baseline is Q8_0"],
        ),
        (
            {"sessions__0__baseline_substituted_for": "F32"},
            [f"orket-nano: baseline_substituted_for names F32, {_THERE}"],
        ),
        (
            {"sessions__0__comparisons__0__quant_tag": "Q9"},
            [f"orket-nano: comparisons names Q9, {_THERE}"],
        ),
        (
            {"matrix__models": ["other"]},
            [
                "orket-nano has a session and is not among the matrix's models",
                "other F16 is in the matrix and has no row",
                "other Q8_0 is in the matrix and has no row",
            ],
        ),
        (
            {"matrix__quants": ["F16", "Q2_K"]},
            [
                "orket-nano Q8_0 has a row and is not among the matrix's quants",
                "orket-nano Q2_K is in the matrix and has no row",
            ],
        ),
        (
            {f"{_ROW}__model_id": "other"},
            ["orket-nano Q8_0: its row is one of other"],
        ),
        (
            {f"{_ROW}__invalid_because": ["it was hot"]},
            ["orket-nano Q8_0 is valid, and is not because it was hot"],
        ),
        (
            {f"{_ROW}__status": "crashed"},
            [
                "orket-nano Q8_0 is valid, and its status is crashed",
                "orket-nano Q8_0: in failed_rows it is missing, and its row is crashed",
                "stability_kpis.weighted_runs is 672, and the rows give 336",
            ],
        ),
        (
            {
                "failed_rows": [
                    {
                        "model_id": "orket-nano",
                        "quant_tag": "Q2_K",
                        "status": "crashed",
                        "status_reason": None,
                    }
                ]
            },
            ["orket-nano Q2_K: in failed_rows it is crashed, and its row is missing"],
        ),
        (
            {"matrix__latency_ceiling": 9},
            ["latency_ceiling is not the same in the matrix and in all sessions"],
        ),
        (
            {
                "stability_kpis__polluted_run_rate": 0.5,
                "stability_kpis__frontier_success_rate": 0,
                "stability_kpis__sessions": 3,
            },
            [
                "stability_kpis.polluted_run_rate is 0.5, and the rows give 0",
                "stability_kpis.frontier_success_rate is 0, and the rows give 1",
                "stability_kpis.sessions is 3, and the rows give 1",
            ],
        ),
        (
            {
                "stability_kpis__determinism_rate": None,
                "stability_kpis__null_reasons": {"determinism_rate": "ONE_RUN_PER_TASK"},
            },
            ["stability_kpis.determinism_rate is null (ONE_RUN_PER_TASK), and the rows give 1"],
        ),
        (
            {"stability_kpis__frontier_success_rate_as_asked": 1.0},
            ["stability_kpis.frontier_success_rate_as_asked is 1, and the rows give null"],
        ),
    ],
    ids=lambda value: None if isinstance(value, list) else ",".join(value),
)
def test_each_contradiction_is_a_sentence(changes: dict[str, Any], expected: list[str]) -> None:
    assert contradictions(changed(**changes)) == expected


def test_rows_and_sessions_are_there_once() -> None:
    found = changed()
    (session,) = found.sessions
    twice = session.model_copy(update={"per_quant": (*session.per_quant, session.per_quant[1])})
    said = contradictions(found.model_copy(update={"sessions": (twice,)}))
    assert said[0] == "orket-nano Q8_0 has 2 rows"
    said = contradictions(found.model_copy(update={"sessions": (session, session)}))
    assert said[0] == "orket-nano has 2 sessions"


def test_a_pick_is_measured_and_valid() -> None:
    polluted_one = summary([row("F16", 16.0, 0.9), polluted("Q8_0", 8.5, 0.9, "hot")])
    (session,) = polluted_one.sessions
    frontier = session.efficiency_frontier
    for tag, why in (("Q8_0", "whose row is not valid"), ("F16", "")):
        pick = {"minimum_viable_quant_tag": tag}
        detail = session.recommendation_detail.model_copy(update={"minimum_viable_quant": tag})
        changes = {
            "efficiency_frontier": frontier.model_copy(update=pick),
            "recommendation_detail": detail,
        }
        other = polluted_one.model_copy(update={"sessions": (session.model_copy(update=changes),)})
        place = "orket-nano: efficiency_frontier.minimum_viable_quant_tag"
        assert contradictions(other) == ([f"{place} names {tag}, {why}"] if why else [])


def test_an_older_summary_without_the_figure_as_asked_is_fine() -> None:
    found = summary([polluted("F16", 16.0, 0.9, "hot")], include_invalid=True)
    kpis = found.stability_kpis.model_copy(update={"frontier_success_rate_as_asked": None})
    assert contradictions(found.model_copy(update={"stability_kpis": kpis})) == []


@pytest.mark.parametrize("value", [None, "F16", 7, {"a": 1}, [["F16"]]])
def test_a_matrix_of_a_stranger_is_judged_or_refused(value: Any) -> None:
    for key in ("latency_ceiling", "include_invalid"):
        contradictions(changed(**{f"matrix__{key}": value}))  # raises nothing
    for key in ("models", "quants", "context_quants"):
        with pytest.raises(ValidationError, match=f"matrix.{key}"):
            changed(**{f"matrix__{key}": value})
    with pytest.raises(ValidationError, match="provider"):
        changed(matrix__model_settings={"orket-nano": {"provider": ["a"]}})


def test_a_ranking_names_each_row_once() -> None:
    found = summary(TWO, [row("Q8_0", 8.5, 0.5, model_id="other")])
    assert found.ranking is not None
    first, second, third = found.ranking.cells
    stranger = third.model_copy(update={"quant_tag": "Q2_K"})
    cells = (first, first, stranger)
    ranking = found.ranking.model_copy(update={"cells": cells})
    assert contradictions(found.model_copy(update={"ranking": ranking})) == [
        f"ranking names {first.name} 2 times",
        "ranking names other Q2_K, which has no row",
        f"ranking leaves out {second.name}",
        "ranking leaves out other Q8_0",
    ]


def test_a_model_with_quants_of_its_own_has_their_variants() -> None:
    found = changed(
        matrix__models=["orket-nano"],
        matrix__quants=["F16", "F16@kv8"],
        matrix__variants={"kv8": {"cache_type_k": "q8_0"}},
        matrix__model_settings={"orket-nano": {"quants": ["F16"]}},
    )
    assert "orket-nano F16@kv8 is in the matrix and has no row" in contradictions(found)
