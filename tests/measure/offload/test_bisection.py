"""Bisection finds what an exhaustive search finds, in few loads."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orket_lib.measure.offload.bisection import Verdict, bisect_layers

Runs = tuple[Verdict, ...]


@st.composite
def machines(draw: st.DrawFn) -> Runs:
    """Return what each number of layers from 0 up would show, in the only order there is."""
    kinds = (Verdict.NO_MAIN_MEMORY, Verdict.MORE, Verdict.ENOUGH, Verdict.TOO_MANY)
    counts = [draw(st.integers(0, 70)) for _ in kinds]
    every = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]
    return tuple(every or [Verdict.MORE])


def exhaustive(runs: Runs) -> int | None:
    enough = [at for at, verdict in enumerate(runs) if verdict is Verdict.ENOUGH]
    some = [at for at, verdict in enumerate(runs) if verdict is Verdict.MORE]
    return min(enough) if enough else max(some, default=None)


def searched(runs: Runs, least: int = 0) -> tuple[int | None, list[int]]:
    looked: list[int] = []

    def look(layers: int) -> Verdict:
        looked.append(layers)
        return runs[layers]

    return bisect_layers(least, len(runs) - 1, look), looked


@given(machines())
def test_it_finds_what_trying_all_finds(runs: Runs) -> None:
    found, looked = searched(runs)
    assert found == exhaustive(runs)
    assert len(looked) == len(set(looked))
    layers = len(runs) - 1
    assert len(looked) <= (math.log2(layers) + 2 if layers else 1)


@given(machines(), st.data())
def test_nothing_below_the_bound_is_tried(runs: Runs, data: st.DataObject) -> None:
    least = data.draw(st.integers(0, len(runs) - 1))
    found, looked = searched(runs, least)
    assert all(least <= at < len(runs) for at in looked)
    above = exhaustive(runs[least:])
    assert found == (None if above is None else least + above)


@pytest.mark.parametrize(
    ("runs", "found", "looked"),
    [
        ((Verdict.MORE,) * 34, 33, [33]),  # all of it, at once
        ((Verdict.TOO_MANY,) * 34, None, [33, 16, 7, 3, 1, 0]),
        ((Verdict.ENOUGH,) * 34, 0, [33, 16, 7, 3, 1, 0]),
        ((Verdict.TOO_MANY,), None, [0]),
    ],
)
def test_the_edges_are_searched_in_this_order(
    runs: Runs, found: int | None, looked: list[int]
) -> None:
    assert searched(runs) == (found, looked)
