"""Whether new sweeps would pick the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy
import pytest

from orket_lib.analysis.verdict import stability as stability_module
from orket_lib.analysis.verdict.decision import Candidate
from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.kept_share import COARSE, probabilities_kept
from orket_lib.analysis.verdict.pairs import Overlap
from orket_lib.analysis.verdict.stability import Repicked, Stability, chances_of, stability
from orket_lib.vocabulary.statuses import Prefer, QuantVerdict, WantStatus


def smallest_kept(quants: Sequence[str], chances: Any) -> list[str | None]:
    kept = [
        [q for q, chance in zip(quants, it, strict=True) if chance >= CERTAIN] for it in chances
    ]
    return [it[-1] if it else None for it in kept]


def families(**counts: Overlap) -> dict[str, dict[str, Overlap]]:
    """Return four families of the same counts."""
    return {f"family{number}": dict(counts) for number in range(4)}


def of(seen: dict[str, dict[str, Overlap]], pick: str) -> Stability:
    """Return the stability of a pick; the baseline was asked the tasks of the first quant."""
    first = {family: next(iter(counts.values())) for family, counts in seen.items()}
    baseline = {family: (it.both + it.lost, round(it.tasks)) for family, it in first.items()}
    return stability(baseline, seen, 0.95, pick, smallest_kept)


def test_a_clear_pick_is_stable_and_a_close_one_is_not() -> None:
    clear = of(families(Q8=Overlap(100), Q2=Overlap(20, 80)), "Q8")
    assert clear.same > 0.99
    close = of(families(Q8=Overlap(40), Q4=Overlap(39, 1)), "Q4")
    assert 0.1 < close.same < 0.7
    assert close.runner_up == "Q8"


def test_it_is_the_same_at_every_call() -> None:
    seen = families(Q8=Overlap(40, 1, 0, 2), Q4=Overlap(38, 3, 0, 2))
    one, other = (of(seen, "Q8") for _ in range(2))
    assert one == other


def test_tasks_asked_again_would_agree_far_more_often() -> None:
    """Without the posterior's doubt, a quant that lost nothing would never lose anything."""
    found = of(families(Q8=Overlap(16)), "Q8")
    assert found.same < 0.9


def test_a_dropped_quant_is_drawn_from_its_own_tasks() -> None:
    """It was asked a quarter of the tasks; a new sweep has all of them."""
    asked = families(Q8=Overlap(40), Q2=Overlap(2, 8))
    found = of(asked, "Q8")
    assert found.same > 0.9
    # Were Q2's tasks all that a new sweep has, Q8 would seldom be proved.
    fewer = of(families(Q2=Overlap(2, 8), Q8=Overlap(10)), "Q8")
    assert fewer.same < found.same


@pytest.mark.parametrize("prefer", Prefer)
@pytest.mark.parametrize("seed", range(20))
def test_sweeps_that_pick_alike_are_asked_once(seed: int, prefer: Prefer) -> None:
    """The picks are those of each sweep on its own."""
    dice = numpy.random.default_rng(seed)
    quants = ["Q8", "Q6", "Q5", "Q4", "Q2"]
    wants = [dice.choice(list(WantStatus), size=dice.integers(3)) for _ in range(6)]
    candidates = [
        Candidate(quant, QuantVerdict.UNDECIDED, 0.5, tuple(map(WantStatus, asked)))
        for quant, asked in zip(["F16", *quants], wants, strict=True)
    ]
    candidates[0] = replace(candidates[0], verdict=QuantVerdict.KEPT, probability=1.0)
    again = Repicked(candidates, prefer, 0.95, "Q8")
    new = [quant for quant in quants if dice.random() < 0.8]
    values = [0.0, 0.02, 1 - CERTAIN, 0.1, 0.5, 0.6, 0.7, 0.79, 0.8, 0.9, CERTAIN, 1.0]
    chances = dice.choice(values[: 3 + seed % 10], size=(200, len(new)))
    alone = [again.pick(dict(zip(new, of_sweep, strict=True))) for of_sweep in chances.tolist()]
    assert again.picks(new, chances) == alone


def test_only_sweeps_of_different_kinds_are_picked_from() -> None:
    """Of 2,000 sweeps with random probabilities, few differ in what decides."""
    asked: list[float] = []

    class Counted(Repicked):
        def pick(self, probabilities: Mapping[str, float]) -> str | None:
            asked.append(1)
            return super().pick(probabilities)

    quants = [f"Q{number}" for number in range(9)]
    candidates = [Candidate(quant, QuantVerdict.UNDECIDED, 0.5) for quant in ["F16", *quants]]
    again = Counted(candidates, Prefer.SMALLEST, 0.95, "Q8")
    chances = numpy.random.default_rng(0).beta(0.5, 0.5, size=(2000, 9))
    assert len(again.picks(quants, chances)) == 2000
    assert len(asked) < 400


def test_counts_of_many_sweeps_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And exactly as each sweep on its own."""
    calls: list[int] = []

    def counted(both: Any, *arguments: Any) -> Any:
        calls.append(len(both))
        return probabilities_kept(both, *arguments)

    monkeypatch.setattr(stability_module, "probabilities_kept", counted)
    counts = numpy.random.default_rng(2).integers(0, 4, size=(500, 3, 3)).astype(float)
    found = chances_of(counts, 0.9375)
    assert sum(calls) == 64
    alone = [
        float(probabilities_kept(both, lost, won, 0.9375, COARSE))
        for both, lost, won in counts.reshape(-1, 3)
    ]
    assert found.ravel().tolist() == alone
    chances_of(counts[:7], 0.9375)
    assert sum(calls) == 64
