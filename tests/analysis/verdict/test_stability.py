"""Whether new sweeps would pick the same."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from orket_lib.analysis.verdict.kept_or_lost import further_tasks
from orket_lib.analysis.verdict.pairs import Overlap
from orket_lib.analysis.verdict.stability import Stability, stability


def smallest_kept(probabilities: Mapping[str, float]) -> str | None:
    kept = [quant for quant, chance in probabilities.items() if chance >= 0.975]
    return kept[-1] if kept else None


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
