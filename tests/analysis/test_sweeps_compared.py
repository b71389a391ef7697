"""Two sweeps compared: what is said to differ, and what is noise."""

from __future__ import annotations

from typing import Any

import pytest
from report_summaries import TASKS, row, seven, summary

from orket_lib.analysis.sweeps_compared import ComparedSweep, compare_sweeps
from orket_lib.artifacts.history import Change
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane

RATE = "generation_tokens_per_second"


def changes(one: Summary, other: Summary, **scores: Any) -> list[Change]:
    known = {name: scores.get(name, {}) for name in "ab"}
    sweeps = [ComparedSweep(name, it, known[name]) for name, it in (("a", one), ("b", other))]
    return list(compare_sweeps(*sweeps).changes)


def rated(rate: float | Null, width: float | None = None) -> RowMetrics:
    interval = {} if width is None else {RATE: (float(rate) - width, float(rate) + width)}  # type: ignore[arg-type]
    return row("Q8_0", 8.5, 0.9, **{RATE: rate}, intervals=interval)


def passing(right: int) -> dict[str, tuple[TaskScore, ...]]:
    scores = tuple(
        TaskScore(test_id=f"t{n}", passed=n < right, adherence_score=float(n < right))
        for n in range(TASKS)
    )
    return {"orket-nano Q8_0": scores}


def test_a_sweep_does_not_differ_from_itself() -> None:
    assert changes(summary(seven()), summary(seven())) == []


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        (rated(2000, 100), rated(2150, 100), False),
        (rated(2000, 100), rated(2300, 100), True),
        (rated(2000), rated(2030), False),
        (rated(2000), rated(2100), True),
        (rated(2000), rated(Null("NO_PROBE")), True),
    ],
)
def test_a_number_differs_beyond_its_noise(
    before: RowMetrics, after: RowMetrics, differs: bool
) -> None:
    found = changes(summary([before]), summary([after]))
    assert [change.what for change in found] == ([RATE] if differs else [])


def test_times_of_lane_ci_are_not_compared() -> None:
    found = changes(summary([rated(2000)], lane=Lane.CI), summary([rated(1000)], lane=Lane.CI))
    assert found == []


@pytest.mark.parametrize(("right", "differs"), [(150, False), (130, True)])
def test_scores_are_compared_task_by_task(right: int, differs: bool) -> None:
    before, after = row("Q8_0", 8.5, 152 / TASKS), row("Q8_0", 8.5, right / TASKS)
    found = changes(summary([before]), summary([after]), a=passing(152), b=passing(right))
    assert [change.what for change in found] == (["adherence_score"] if differs else [])


def test_settings_machine_file_and_verdicts_are_named_one_by_one() -> None:
    other = [
        it
        if it.quant_tag != "Q4_K_M"
        else row("Q4_K_M", 4.9, 0.6, generation_tokens_per_second=2561.0)
        for it in seven()
    ]
    matrix = summary().matrix | {"seed": 8}
    found = changes(summary(seven()), summary(other, matrix=matrix, hardware_fingerprint="other"))
    said = {(it.kind, it.what, it.old, it.new) for it in found}
    assert {
        ("machine", "hardware_fingerprint", summary().hardware_fingerprint, "other"),
        ("settings", "seed", 7, 8),
        ("verdict", "pick", "Q4_K_M", "Q5_K_M"),
        ("verdict", "verdict", "KEPT", "LOST"),
    } <= said


def test_a_quant_that_only_one_sweep_has_is_one_difference() -> None:
    found = changes(summary(seven()), summary(seven()[:-1]))
    assert [(it.kind, it.where) for it in found if it.kind == "rows"] == [
        ("rows", ("orket-nano Q2_K",))
    ]
