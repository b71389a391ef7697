"""What crosses the wall of a sandbox: nothing but plain values, and all of them as they were."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import IntEnum
from typing import Any

import pytest

from orket_lib.sandbox.equality import described, same_value
from orket_lib.sandbox.inside.values import MAX_DEPTH, Opaque, decode, encode

PLAIN: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**200,
    -(16**5000),
    0.0,
    -0.0,
    1.5,
    1e300,
    5e-324,
    math.inf,
    -math.inf,
    1 + 2j,
    "",
    "text: with 3:colons\n",
    "ü€𝄞",
    "\ud800",
    "\0",
    b"",
    b"\x00\xff:",
    bytearray(b"ab"),
    (),
    (1,),
    [],
    [[], [[]]],
    {},
    {1: "a", "1": "b", (1, 2): None, None: [True]},
    set(),
    {1, (2, 3)},
    frozenset({frozenset(), 1.5}),
    [1, 1.0, True, "1", b"1", None],
]


def same_with_types(one: Any, other: Any) -> bool:
    return described(one, 1000) == described(other, 1000) and one == other


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: described(value, 30))
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    assert same_with_types(decode(encode(value)), value)


def test_a_set_of_several_kinds_comes_back() -> None:
    """On its own: its order, and so its id, would be another one in every process."""
    value = {1, "a", (2, 3)}
    assert decode(encode(value)) == value


def test_nan_comes_back() -> None:
    assert math.isnan(decode(encode(math.nan)))


def test_values_of_different_types_never_have_the_same_bytes() -> None:
    encoded = [encode(value) for value in PLAIN]
    assert len(set(encoded)) == len(PLAIN)


def test_a_set_has_the_same_bytes_in_any_order() -> None:
    # Two that collide keep the order in which they came.
    one, other = {0, 2**61 - 1}, {2**61 - 1, 0}
    assert list(one) != list(other)
    assert encode(one) == encode(other)


class Liar(int):
    """Says that it is everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __index__(self) -> int:
        return 42

    __hash__ = int.__hash__

    def __repr__(self) -> str:
        return "42"


class Pretender:
    __class__ = int  # type: ignore[assignment]


class LyingDict(dict[str, int]):
    def items(self) -> Any:
        return [("right", 1)]

    def __iter__(self) -> Any:
        return iter(["right"])


Pair = namedtuple("Pair", "a b")
Number = IntEnum("Number", {"TWO": 2})


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Liar(7), 7),
        (LyingDict(wrong=2), {"wrong": 2}),
        (Pair(1, 2), (1, 2)),
        (Number.TWO, 2),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (type("Text", (str,), {"__str__": lambda self: "right"})("wrong"), "wrong"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_counts_as_what_it_derives_from_and_is_not_asked(value: Any, plain: Any) -> None:
    assert same_with_types(decode(encode(value)), plain)


@pytest.mark.parametrize(
    "value",
    [object(), Pretender(), len, int, Liar, iter([]), ..., range(3), [object()]],
    # Pretender's own id would be its address, which no two workers of a test run agree on.
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_opaque_and_equal_to_nothing(value: Any) -> None:
    found = decode(encode(value))
    inner = found[0] if isinstance(found, list) else found
    assert isinstance(inner, Opaque)
    assert inner != inner
    assert not same_value(found, found)
    assert not same_value(value, found)


def test_what_holds_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert len(encode(endless)) < 1000
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 10):
        deep = [deep]
    assert not same_value(deep, decode(encode(deep)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"i",
        b"i1",
        b"i1:",
        b"i2:1",
        b"i1:g",
        b"i1:11",
        b"i-1:1",
        b"x1:1",
        b"l1:",
        b"l999999999:" + b"n0:" * 5,
        b"l9999999999999999999:",
        b"d1:i1:1",
        b"d1:l0:i1:1",  # a list as a key
        b"e1:l0:",
        b"c1:f3:0x1",
        b"s2:\xff\xfe",
        b"b1:2",
        b"n1:0",
        b"f3:xyz",
        b"l1:" * 500 + b"n0:",
        b"returned 42",
        bytes(range(256)),
    ],
    ids=lambda data: repr(data)[:30],
)
def test_bytes_that_stand_for_nothing_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode(data)


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        (1, 1.0, False),
        (1.0, 1, False),
        (0.3, 0.1 + 0.2, True),
        (1.0, 1.0000001, False),
        (math.nan, math.nan, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        ([1], (1,), False),
        ((1, [2]), (1, [2]), True),
        ((1, [2]), (1, [True]), False),
        ([1, 2], [1, 2, 3], False),
        ("1", 1, False),
        ("a", b"a", False),
        ({1: 2, 3: 4}, {3: 4, 1: 2}, True),
        ({1: 2}, {True: 2}, False),
        ({1: 2}, {1: 2.0}, False),
        ({"a": 0.3}, {"a": 0.1 + 0.2}, True),
        ({1, 2}, {2, 1}, True),
        ({1}, {True}, False),
        ({1}, frozenset({1}), False),
        (None, None, True),
        (None, False, False),
        ([], {}, False),
    ],
)
def test_sameness_looks_at_types(expected: Any, found: Any, same: bool) -> None:
    assert same_value(expected, found, tolerance=1e-9) is same


@pytest.mark.parametrize("wrap", [float, lambda value: [value], lambda value: {"a": (value,)}])
def test_without_a_tolerance_floats_are_exact(wrap: Any) -> None:
    assert same_value(wrap(0.3), wrap(0.3))
    assert not same_value(wrap(0.3), wrap(0.1 + 0.2))
    assert same_value(wrap(0.3), wrap(0.1 + 0.2), tolerance=1e-9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([1, "a\n"], r"[1, 'a\n']"),
        ("\x1b[31m\u202e", r"'\x1b[31m\u202e'"),
        (16**5000, "a number of 20001 bits"),
        ([16**5000], "a list with a number of more than 4300 digits"),
        ("x" * 100, "'" + "x" * 36 + "..."),
        (Opaque("generator"), "<generator>"),
        (Opaque("\x1b[2J"), r"<\x1b[2J>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_on_one_safe_line(value: Any, shown: str) -> None:
    assert described(value, 60 if "than" in shown else 40) == shown
