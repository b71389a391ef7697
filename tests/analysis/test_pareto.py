"""The Pareto set, against its definition, and in a time that doesn't grow with the square."""

from __future__ import annotations

import time
from itertools import product

from orket_lib.analysis.pareto import undominated


def test_what_no_other_point_beats_is_kept_and_equal_points_with_it() -> None:
    points = [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.5, 0.5), (0.4, 0.5), (0.0, 0.0)]
    assert undominated(points) == [True, True, True, True, False, False]
    assert undominated([]) == []


def test_it_is_the_definition_for_three_merits_in_any_order() -> None:
    values = (0.0, 1.0, 2.0)
    cube = [it for it in product(values, repeat=3) if sum(it) in (3, 4, 1)]
    beaten = [
        any(other != it and all(a >= b for a, b in zip(other, it, strict=True)) for other in cube)
        for it in cube
    ]
    assert any(beaten)
    for points, expected in ((cube, beaten), (cube[::-1], beaten[::-1])):
        assert undominated(points) == [not it for it in expected]


def test_ten_thousand_points_take_no_square() -> None:
    began = time.process_time()
    assert sum(undominated([(float(it % 97), float(it % 89)) for it in range(10_000)])) == 1
    assert time.process_time() - began < 2  # pairwise it takes a minute
