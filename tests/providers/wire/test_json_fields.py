"""What is taken from a server's JSON: an invalid figure is None, never 0."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LETTERS, NEGATIVE, NO_FINITE_NUMBER, NO_NUMBER_AT_ALL

from orket_lib.providers.wire.json_fields import count, seconds, section, text

NO_FIGURE = st.none() | NO_NUMBER_AT_ALL | NEGATIVE


@given(NO_FIGURE | st.floats())
@example(True)
@example(3.0)
def test_a_count_is_a_whole_number_from_0(value: object) -> None:
    assert count({"tokens": value}, "tokens") is None


@given(NO_FIGURE | NO_FINITE_NUMBER)
@example(True)
@example("1.5")
def test_a_time_is_a_finite_number_from_0(value: object) -> None:
    assert seconds({"time": value}, "time") is None
    assert seconds({"time": value}, "other") is None


@given(st.integers(0, 2**63), st.sampled_from([1.0, 1e-3, 1e-9]))
def test_a_figure_is_taken_as_it_was_sent(value: int, unit_s: float) -> None:
    assert count({"n": value}, "n") == value
    assert seconds({"n": value}, "n", unit_s) == value * unit_s
    assert seconds({"n": value / 8}, "n", unit_s) == value / 8 * unit_s


@given(NO_FIGURE | LETTERS | st.dictionaries(LETTERS, st.integers(), max_size=2))
@example("")
def test_text_and_objects_are_nothing_else(value: object) -> None:
    assert text({"x": value}, "x") == (value if isinstance(value, str) and value else None)
    assert section({"x": value}, "x") == (value if isinstance(value, dict) else {})
