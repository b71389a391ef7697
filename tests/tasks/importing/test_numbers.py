"""Numbers as people write them in the answers of a table."""

from __future__ import annotations

import pytest

from orket_lib.tasks.importing.numbers import is_plain_number, number_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("-5", -5),
        ("+5", 5),
        ("\u22125", -5),
        ("\u20135", -5),
        ("1,234", 1234),
        ("1,234,567.5", 1234567.5),
        ("1_000", 1000),
        ("0.50", 0.5),
        ("1e3", 1000.0),
        ("$18", 18),
        ("$1,234", 1234),
        ("-$5", -5),
        ("\u20ac 3", 3),
        ("45%", 45),
        ("12.5 %", 12.5),
        ("007", 7),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    found = number_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "five", "1,23", "1.234,5", "1,2345", "12 apples", "3/4", "1e999", "[5]", "1 2"),
        *("--5", "x", "9" * 401, "NaN", "Infinity", "0x10", "5-", "1__0"),
    ],
)
def test_what_may_be_something_else_is_no_number(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["4", "-0.5", " 12 ", "0", "1234.50"])
def test_plain_numbers(text: str) -> None:
    assert is_plain_number(text)


@pytest.mark.parametrize("text", ["004", "1,234", "$4", "4.", ".5", "1e3", "four", "", "12/3"])
def test_what_may_be_a_code_or_a_text_is_no_plain_number(text: str) -> None:
    assert not is_plain_number(text)
