"""How far one quant is behind another, and how often equals are told apart."""

from __future__ import annotations

from itertools import pairwise

import numpy
import pytest
from scipy.stats import binom

from orket_lib.analysis.ranking.difference import behind, chance_at_most
from orket_lib.analysis.verdict.pairs import Overlap

CASES = [
    Overlap(both=160, neither=8),
    Overlap(both=120, lost=10, won=2, neither=36),
    Overlap(both=10, lost=20.5, won=3.25, neither=6.25),
    Overlap(lost=30),
    Overlap(won=1),
]


@pytest.mark.parametrize("counts", CASES, ids=str)
def test_the_interval_is_that_of_draws_from_the_posterior(counts: Overlap) -> None:
    dice = numpy.random.default_rng(1)
    seen = numpy.array([counts.both, counts.lost, counts.won, counts.neither])
    drawn = dice.dirichlet(seen + 0.5, size=200_000)
    differences = drawn[:, 1] - drawn[:, 2]
    found = behind(counts)
    assert found.adherence == (counts.lost - counts.won) / counts.tasks
    low, high = numpy.quantile(differences, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)


@pytest.mark.parametrize("counts", CASES, ids=str)
def test_the_chance_is_a_distribution_without_a_step_at_0(counts: Overlap) -> None:
    seen = counts.both + counts.neither, counts.lost, counts.won
    chances = [chance_at_most(*seen, at) for at in numpy.linspace(-1, 1, 201)]
    assert chances[0] == pytest.approx(0, abs=1e-6)
    assert chances[-1] == pytest.approx(1, abs=1e-6)
    assert all(two >= one - 1e-9 for one, two in pairwise(chances))
    around = [chance_at_most(*seen, at) for at in (-1e-9, 0, 1e-9)]
    assert around == pytest.approx([around[1]] * 3, abs=1e-3)


@pytest.mark.parametrize(
    ("lost", "won", "proved"),
    [(0, 0, False), (3, 0, False), (4, 0, True), (6, 1, False), (7, 1, True), (30, 20, False)],
)
def test_a_few_flips_prove_nothing(lost: int, won: int, proved: bool) -> None:
    assert behind(Overlap(both=100, lost=lost, won=won)).proved is proved


@pytest.mark.slow
def test_equals_are_told_apart_in_about_one_sweep_of_twenty() -> None:
    """Exact: both quants are as good, and each wins `churn` of the tasks from the other."""

    def apart(flips: int) -> float:
        """Return how often so many flips, each a fair coin, seem to prove something."""
        return float(
            sum(
                binom.pmf(lost, flips, 0.5)
                for lost in range(flips + 1)
                if behind(Overlap(100, max(lost, flips - lost), min(lost, flips - lost))).proved
            )
        )

    errors = [apart(flips) for flips in range(41)]
    for tasks in (30, 60, 168):
        for churn in (0.005, 0.01, 0.02, 0.05):
            weights = numpy.asarray(binom.pmf(range(41), tasks, 2 * churn))
            assert weights.sum() > 0.999
            assert weights @ errors <= 0.06
