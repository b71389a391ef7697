"""What crosses the wall of a sandbox: nothing but plain values, and all of them as they were."""

from __future__ import annotations

import copy
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orket_lib.sandbox.equality import same_value
from orket_lib.sandbox.inside.values import MAX_DEPTH, Opaque, decode, encode

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text("ab3:\n\0ü€𝄞\ud800", max_size=5)
    | st.binary(max_size=5)
)
KEYS = st.recursive(
    SCALARS, lambda keys: st.tuples(keys) | st.frozensets(keys, max_size=2), max_leaves=3
)


def nested(scalars: Any, keys: Any) -> st.SearchStrategy[Any]:
    def within(inner: Any) -> Any:
        return (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(keys, inner, max_size=2)
        )

    sets = st.sets(keys, max_size=3) | st.frozensets(keys, max_size=3)
    return st.recursive(scalars | sets, within, max_leaves=6)


PLAIN = nested(SCALARS | st.binary(max_size=3).map(bytearray), KEYS)
# Few enough for two of them to be equal, or nearly so, again and again.
CONFUSABLE = st.sampled_from([0, 1, False, True, 0.0, 1.0, 1 + 0j, "1", b"1", None, (), (1,)])
ALIKE = nested(CONFUSABLE, CONFUSABLE)


def typed(value: Any) -> Any:
    """Return a value as something that is equal only for the same value of the same types."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, [typed(item) for item in value]
    if kind is dict:
        return kind, [(typed(key), typed(item)) for key, item in value.items()]
    if kind in (set, frozenset):
        return kind, sorted(repr(typed(item)) for item in value)
    if kind is complex:  # loses the sign of a zero
        return kind, typed(value.real + 0.0), typed(value.imag + 0.0)
    return kind, value.hex() if kind is float else value


@given(PLAIN)
@example(2**200)
@example(-(16**5000))
@example(-0.0)
@example(5e-324)
@example("text: with 3:colons\n")
@example(b"\x00\xff:")
@example([[], [[]], {}, (), set()])
@example({1: "a", "1": "b", (1, 2): None, None: [True]})
@example({1, "a", (2, 3)})
@example(frozenset({frozenset(), 1.5}))
@example([1, 1.0, True, "1", b"1", None, math.nan, math.inf])
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    assert typed(decode(encode(value))) == typed(value)


@given(ALIKE, ALIKE)
def test_values_of_different_types_never_have_the_same_bytes(one: Any, other: Any) -> None:
    assert (encode(one) == encode(other)) is (typed(one) == typed(other))


@given(st.sets(KEYS, max_size=5).map(list))
@example([0, 2**61 - 1])  # these collide, and so keep the order in which they came
def test_a_set_has_the_same_bytes_in_any_order(items: list[Any]) -> None:
    backwards = items[::-1]
    assert encode(set(items)) == encode(set(backwards))
    assert encode(frozenset(items)) == encode(frozenset(backwards))


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
    assert typed(decode(encode(value))) == typed(plain)


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


def refused(data: bytes) -> bool:
    try:
        decode(data)
    except ValueError:
        return True
    return False


@given(PLAIN.map(encode), st.integers(0, 200), st.binary(min_size=1, max_size=5))
def test_bytes_that_are_cut_short_or_go_on_are_refused(data: bytes, cut: int, more: bytes) -> None:
    assert refused(data[: cut % len(data)])
    assert refused(data + more)


@pytest.mark.parametrize(
    "data",
    [
        b"i1:g",
        b"i-1:1",
        b"x1:1",
        b"l999999999:" + b"n0:" * 5,
        b"l9999999999999999999:",
        b"d1:l0:i1:1",  # a list as a key
        b"e1:l0:",
        b"c1:f3:0x1",
        b"s2:\xff\xfe",
        b"b1:2",
        b"n1:0",
        b"f3:xyz",
        b"l1:" * 500 + b"n0:",
    ],
    ids=lambda data: repr(data)[:30],
)
def test_bytes_that_stand_for_nothing_are_refused(data: bytes) -> None:
    assert refused(data)


@given(st.binary(max_size=40) | st.text("nbifsyaoctldez0123:x", max_size=40).map(str.encode))
@example(bytes(range(256)))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    assert refused(data) or encode(decode(data))


@given(ALIKE, ALIKE)
@example(1, True)
@example([1], (1,))
@example({1: 2}, {True: 2})
@example({1: 2}, {1: 2.0})
@example({1}, {True})
@example({1}, frozenset({1}))
def test_sameness_looks_at_types(one: Any, other: Any) -> None:
    assert same_value(one, copy.deepcopy(one))
    assert same_value(one, other) is same_value(other, one)
    assert same_value(one, other) is (typed(in_order(one)) == typed(in_order(other)))


def in_order(value: Any) -> Any:
    """Return a value with all mappings in an order of their own, which sameness ignores."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: repr(typed(item[0])))
        return {key: in_order(item) for key, item in items}
    if isinstance(value, list | tuple):
        return type(value)(map(in_order, value))
    return value


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (0.3, 0.1 + 0.2, True),
        (1.0, 1.0000001, False),
        (math.nan, math.nan, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (1, 1.0, False),
        ({"a": 0.3}, {"a": 0.1 + 0.2}, True),
        ({1: 2, 3: 4}, {3: 4, 1: 2}, True),
    ],
)
def test_a_tolerance_is_for_floats_alone(expected: Any, found: Any, same: bool) -> None:
    assert same_value(expected, found, tolerance=1e-9) is same


@pytest.mark.parametrize("wrap", [float, lambda value: [value], lambda value: {"a": (value,)}])
def test_without_a_tolerance_floats_are_exact(wrap: Any) -> None:
    assert same_value(wrap(0.3), wrap(0.3))
    assert not same_value(wrap(0.3), wrap(0.1 + 0.2))
    assert same_value(wrap(0.3), wrap(0.1 + 0.2), tolerance=1e-9)
