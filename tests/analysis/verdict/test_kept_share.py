"""The posterior of the kept share, against sampling and against what must hold."""

from __future__ import annotations

import numpy
import pytest

from orket_lib.analysis.verdict.kept_share import (
    COARSE,
    PRIOR,
    kept_share,
    least_both,
    probabilities_kept,
)
from orket_lib.analysis.verdict.pairs import Overlap, paired

SEEN = [
    Overlap(54, 0, 0),
    Overlap(50, 4, 0, 6),
    Overlap(150, 8, 4, 6),
    Overlap(20, 3, 3),
    Overlap(),
    Overlap(1, 15, 0, 200),
    Overlap(380, 20, 2),
    Overlap(7.5, 0.5, 1.25, 2),
]


@pytest.mark.parametrize("counts", SEEN, ids=str)
def test_it_agrees_with_samples_of_the_posterior(counts: Overlap) -> None:
    dice = numpy.random.default_rng(1)
    seen = [counts.both + PRIOR, counts.lost + PRIOR, counts.won + PRIOR, counts.neither + PRIOR]
    both, lost, won, _ = dice.dirichlet(seen, size=400_000).T
    shares = (both + won) / (both + lost)
    for threshold in (0.8, 0.95, 1.0, 1.02):
        sampled = float((shares >= threshold).mean())
        exact = float(probabilities_kept(counts.both, counts.lost, counts.won, threshold))
        assert exact == pytest.approx(sampled, abs=4e-3)
    known = kept_share(counts, 0.95)
    for end, chance in ((known.low, 0.025), (known.middle, 0.5), (known.high, 0.975)):
        assert float((shares < end).mean()) == pytest.approx(chance, abs=3e-3)


def test_many_are_judged_as_one_is() -> None:
    both, lost, won = ([getattr(item, name) for item in SEEN] for name in ("both", "lost", "won"))
    one_by_one = [
        float(probabilities_kept(*values, 0.95)) for values in zip(both, lost, won, strict=True)
    ]
    assert probabilities_kept(both, lost, won, 0.95) == pytest.approx(one_by_one, abs=1e-12)


@pytest.mark.parametrize("probability", [0.025, 0.975, 0.995])
def test_the_fewest_right_in_both_reach_a_probability_and_one_fewer_does_not(
    probability: float,
) -> None:
    flips = numpy.array([0, 0, 3, 10, 60]), numpy.array([0, 2, 1, 3, 40])
    least = least_both(*flips, 0.95, probability)
    fewer = numpy.maximum(least - 1, 0)
    reached = probabilities_kept(numpy.array([least, fewer]), *flips, 0.95, COARSE) >= probability
    assert reached[0].all()
    assert (~reached[1] | (least == 0)).all()


def test_t25_no_flip_in_few_tasks_is_no_certainty() -> None:
    """60 tasks without a flip don't say that exactly everything is kept."""
    known = kept_share(Overlap(both=60), 0.95)
    assert known.low < 0.97
    assert known.high > 1.03


def test_what_both_fail_says_nothing() -> None:
    few, many = (
        kept_share(Overlap(20, 2, 1, 0), 0.95),
        kept_share(Overlap(20, 2, 1, 500), 0.95),
    )
    assert few == many


@pytest.mark.parametrize(
    ("baseline", "quant", "expected"),
    [
        (1.0, 1.0, Overlap(1, 0, 0, 0)),
        (1.0, 0.0, Overlap(0, 1, 0, 0)),
        (0.0, 1.0, Overlap(0, 0, 1, 0)),
        (0.0, 0.0, Overlap(0, 0, 0, 1)),
        (0.75, 0.5, Overlap(0.5, 0.25, 0, 0.25)),
        (0.25, 0.5, Overlap(0.25, 0, 0.25, 0.5)),
    ],
)
def test_masses_of_a_task(baseline: float, quant: float, expected: Overlap) -> None:
    found = paired({"a": baseline}, {"a": quant}, ["a"])
    assert found == expected
    assert found.tasks == 1


def test_only_tasks_that_both_were_asked_count() -> None:
    found = paired({"a": 1.0, "b": 1.0}, {"b": 0.0, "c": 1.0}, ["a", "b", "c"])
    assert found == Overlap(lost=1)
