"""Combining values that may be null."""

from __future__ import annotations

from orket_lib.vocabulary.nulls import Null, all_of, any_of, first_null, known

A, B, EMPTY = Null("A"), Null("B"), Null("EMPTY")


def given(*values: int | Null) -> tuple[int | Null, ...]:
    return values


def test_known_values_keep_their_order_and_zero_is_one_of_them() -> None:
    assert known([3, A, 0, B]) == [3, 0]
    assert first_null([3, A, B]) == A
    assert first_null([3, 0]) is None


def test_all_of_needs_every_value() -> None:
    assert all_of(given(1, 2), sum, EMPTY) == 3
    assert all_of(given(0, 0), sum, EMPTY) == 0
    assert all_of(given(1, B, A), sum, EMPTY) == B
    assert all_of(given(), sum, EMPTY) == EMPTY


def test_any_of_takes_what_is_known() -> None:
    assert any_of(given(A, 2, 1), max, EMPTY) == 2
    assert any_of(given(0, A), max, EMPTY) == 0
    assert any_of(given(B, A), max, EMPTY) == B
    assert any_of(iter(()), max, EMPTY) == EMPTY
