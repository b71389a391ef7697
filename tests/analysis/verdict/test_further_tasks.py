"""How many more tasks would decide, by screening and as if every future were computed."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from numpy.typing import NDArray

from orket_lib.analysis.verdict import further_tasks as module
from orket_lib.analysis.verdict.further_tasks import further_tasks, most_decide, normal_score
from orket_lib.analysis.verdict.kept_share import COARSE, least_both, probabilities_kept
from orket_lib.analysis.verdict.pairs import Overlap


@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [(Overlap(21, 0, 0, 9), 20, 80), (Overlap(114, 5, 1, 50), 400, 1500)],
    ids=["few tasks, nothing lost", "close to the threshold"],
)
def test_further_tasks_are_about_as_many_as_decide(counts: Overlap, least: int, most: int) -> None:
    found = further_tasks(counts, 0.95, 0.975)
    assert found is not None
    assert least <= found <= most


def test_what_more_tasks_would_not_decide_has_no_number() -> None:
    assert further_tasks(Overlap(9500, 500, 0, 0), 0.95, 0.975) is None


def most_decide_one_by_one(
    futures: NDArray[numpy.float64], threshold: float, certain: float
) -> bool:
    both, lost, won = futures.T
    kept = probabilities_kept(both, lost, won, threshold, COARSE)
    return float(((kept >= certain) | (kept <= 1 - certain)).mean()) >= 0.5


@pytest.mark.parametrize("certain", [0.975, 0.995])
@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.95, 0.99, 1.0])
def test_screening_changes_no_number_of_tasks(
    threshold: float, certain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = numpy.random.default_rng(int(threshold * 1000))
    sizes = numpy.exp(dice.uniform(2, 6, size=8))
    shares = dice.dirichlet([8 * threshold, 1.0, 0.4, 2.0], size=8)
    seen = [numpy.floor(size * share) for size, share in zip(sizes, shares, strict=True)]
    halves = [row + numpy.array([1 / 3, 0.5, 0, 1 / 6]) for row in seen]
    counts = [Overlap(*row) for row in [*seen, *halves]]
    screened = [further_tasks(it, threshold, certain) for it in counts]
    monkeypatch.setattr(module, "most_decide", most_decide_one_by_one)
    assert screened == [further_tasks.__wrapped__(it, threshold, certain) for it in counts]


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.95, 0.99, 1.0])
def test_the_score_is_as_exact_as_the_margin_needs(threshold: float) -> None:
    from scipy.special import ndtri

    dice = numpy.random.default_rng(3)
    futures = numpy.concatenate(
        [
            dice.integers(0, [40, 6, 6], size=(3000, 3)),
            numpy.floor(numpy.exp(dice.uniform(0, [8.5, 6, 6], size=(3000, 3)))),
            numpy.exp(dice.uniform(-2, [8.5, 3, 3], size=(3000, 3))),
        ]
    )
    score = normal_score(futures, threshold)
    assert numpy.isfinite(score).all()
    near = abs(abs(score) - 2.3) < 1.2
    both, lost, won = futures[near].T
    kept = probabilities_kept(both, lost, won, threshold, COARSE)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        exact = ndtri(numpy.clip(kept, 1e-6, 1 - 1e-6))
    close = abs(abs(exact) - 2.3) < 0.6  # from 0.955 to 0.998
    assert close.sum() > 100
    assert abs(score[near] - exact)[close].max() < 0.5 * module._MARGIN


def test_what_is_far_from_a_verdict_needs_no_quadrature(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def counted(both: Any, *arguments: Any) -> NDArray[numpy.float64]:
        computed.append(len(both))
        return probabilities_kept(both, *arguments)

    monkeypatch.setattr(module, "probabilities_kept", counted)
    fewest = float(least_both([0], [0], 0.95, 0.975)[0])
    far = [[0.4 * fewest, 0, 0]] * 99 + [[4 * fewest, 0, 0]] * 99
    assert most_decide(numpy.array(far), 0.95, 0.975)
    assert computed == []
    assert most_decide(numpy.array([*far, [fewest, 0, 0]]), 0.95, 0.975)
    assert not most_decide(numpy.array([*far, [fewest - 1, 0, 0]]), 0.95, 0.975)
    assert computed == [1, 1]
