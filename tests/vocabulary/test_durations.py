"""Durations and counts in words."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.units import counted, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "1 h"), (5400, "1 h 30 min")],
)
def test_durations_have_the_units_that_people_would_use(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks")])
def test_one_thing_is_no_plural(number: int, words: str) -> None:
    assert counted(number, "task") == words
