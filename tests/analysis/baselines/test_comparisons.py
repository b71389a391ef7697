from __future__ import annotations

from math import comb

import numpy
import pytest
from builders import metrics, unmeasured
from scipy.stats import binomtest

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.sessions import build_session, compare, mixtures
from orket_lib.analysis.statistics import Estimate, difference, mcnemar_exact, paired_drop
from orket_lib.artifacts.views.row import RowArtifact, TaskScore
from orket_lib.vocabulary.statuses import Lane


def scores(**passed: bool) -> list[TaskScore]:
    return [
        TaskScore(test_id=name, passed=ok, adherence_score=float(ok)) for name, ok in passed.items()
    ]


@pytest.mark.parametrize(
    ("one", "other", "p_value"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (3, 3, 1.0),
        (5, 0, 0.0625),
        (0, 6, 0.03125),
        (1, 9, 0.021484375),
        (10, 2, 0.03857421875),
    ],
)
def test_mcnemar_has_its_known_values(one: int, other: int, p_value: float) -> None:
    assert mcnemar_exact(one, other) == pytest.approx(p_value, abs=1e-12)
    assert mcnemar_exact(other, one) == mcnemar_exact(one, other)


@pytest.mark.parametrize("changed", range(1, 25))
def test_mcnemar_is_a_fair_coin(changed: int) -> None:
    for one in range(changed + 1):
        tail = sum(comb(changed, k) for k in range(min(one, changed - one) + 1)) / 2**changed
        assert mcnemar_exact(one, changed - one) == pytest.approx(min(1.0, 2 * tail))
        assert mcnemar_exact(one, changed - one) == pytest.approx(
            binomtest(one, changed, 0.5).pvalue
        )


def test_flips_are_counted_in_both_directions() -> None:
    before = scores(a=True, b=True, c=True, d=False, e=False)
    after = scores(a=True, b=False, c=False, d=True, e=False)
    found = compare("Q2_K", after, "F16", before)
    assert (found.quant_tag, found.baseline_quant, found.tasks) == ("Q2_K", "F16", 5)
    assert (found.correct_to_wrong, found.wrong_to_correct) == (2, 1)
    assert found.p_value == 1.0


def test_equal_accuracy_does_not_hide_flips() -> None:
    found = compare("Q2_K", scores(a=True, b=False), "F16", scores(a=False, b=True))
    assert (found.correct_to_wrong, found.wrong_to_correct) == (1, 1)


def test_only_tasks_that_both_have_are_paired() -> None:
    found = compare("Q2_K", scores(a=False, x=False), "F16", scores(a=True, y=True))
    assert (found.tasks, found.correct_to_wrong) == (1, 1)


def test_the_order_of_the_tasks_does_not_matter() -> None:
    before, after = scores(a=True, b=False, c=True), scores(a=False, b=False, c=True)
    assert compare("Q", after, "F", before) == compare("Q", after[::-1], "F", before)


def test_every_measured_quant_but_the_baseline_is_compared() -> None:
    rows = [metrics("F16", 16.0), metrics("Q8_0", 8.5), unmeasured("Q2_K", 3.2)]
    table = {"F16": scores(a=True), "Q8_0": scores(a=False), "Q2_K": []}
    found = build_session("nano", rows, table, FrontierPolicy(0.9, 10, False), Lane.LAB)
    assert [item.quant_tag for item in found.comparisons] == ["Q8_0"]
    assert found.comparisons[0].correct_to_wrong == 1


def test_one_file_under_two_tags_and_two_builds_are_named() -> None:
    def served(sha256: str, build: str) -> RowArtifact:
        return RowArtifact.of(sha256=sha256, digest=None, path=None, tag=None, build=build, bytes=1)

    rows = [
        metrics("F16", artifact=served("a", "b1")),
        metrics("Q8_0", artifact=served("a", "b1")),
        metrics("Q4_K_M", artifact=served("c", "b2")),
    ]
    assert mixtures(rows[:1]) == ()
    one_file, two_builds = mixtures(rows)
    assert "F16 and Q8_0" in one_file
    assert "b1, b2" in two_builds


@pytest.mark.parametrize("tasks", [10, 20, 60])
def test_the_interval_of_a_paired_drop_says_what_mcnemar_says(tasks: int) -> None:
    for lost in range(tasks + 1):
        for won in range(tasks - lost + 1):
            found = paired_drop(lost, won, tasks)
            other = paired_drop(won, lost, tasks)
            assert found.low <= found.value <= found.high
            assert other == pytest.approx((-found.value, -found.high, -found.low))
            told = found.low > 0 or found.high < 0
            assert told == (mcnemar_exact(lost, won) <= 0.05), (lost, won)


def test_the_interval_of_a_paired_drop_has_the_drop_in_it_in_95_of_100_cases() -> None:
    dice = numpy.random.default_rng(3)
    for chances in ((0.1, 0.1, 0.8), (0.4, 0.05, 0.55), (0.02, 0.02, 0.96), (0.8, 0.0, 0.2)):
        drop, seen = chances[0] - chances[1], dice.multinomial(20, chances, size=500)
        cache = {(lost, won): paired_drop(lost, won, 20) for lost, won, _ in seen.tolist()}
        found = [cache[lost, won] for lost, won, _ in seen.tolist()]
        assert sum(it.low <= drop <= it.high for it in found) >= 0.95 * len(found)


def test_the_interval_of_a_difference_is_narrower_than_the_sum_of_both() -> None:
    found = difference(Estimate(0.5, 0.2, 0.7), Estimate(0.1, 0.0, 0.3))
    assert found == pytest.approx((0.4, 0.4 - 0.13**0.5, 0.4 + 0.05**0.5))
