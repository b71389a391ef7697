from __future__ import annotations

from itertools import chain, cycle, repeat

import pytest

from orket_lib.measure.speed.warmup import CAP, is_steady, warm_up


@pytest.mark.parametrize(
    ("seconds", "steady"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([1.0, 1.0], False, id="too few"),
        pytest.param([1.0, 1.0, 1.0], True, id="equal"),
        pytest.param([9.0, 1.0, 1.05, 1.0], True, id="only the last three count"),
        pytest.param([1.0, 1.09, 1.0], True, id="a tenth to and fro"),
        pytest.param([1.0, 1.2, 1.0], False, id="a fifth to and fro"),
        pytest.param([1.10, 1.05, 1.0], False, id="still getting faster"),
        pytest.param([1.0, 1.05, 1.10], False, id="getting slower"),
        pytest.param([1.01, 1.005, 1.0], True, id="a trend within the noise"),
        pytest.param([0.0, 0.0, 0.0], True, id="no time at all"),
    ],
)
def test_three_values_without_trend_and_spread_are_steady(
    seconds: list[float], steady: bool
) -> None:
    assert is_steady(seconds) is steady


@pytest.mark.parametrize(
    ("seconds", "required", "count", "steady"),
    [
        pytest.param(repeat(1.0), 3, 3, True, id="steady at once"),
        pytest.param(repeat(1.0), 7, 7, True, id="the required number is a minimum"),
        pytest.param(repeat(1.0), 1, 3, True, id="never fewer than three"),
        pytest.param(chain((4.0, 3.0, 2.0, 1.5), repeat(1.0)), 3, 7, True, id="goes on"),
        pytest.param((2.0**-n for n in range(99)), 3, CAP, False, id="never steady: the cap"),
        pytest.param((2.0**-n for n in range(99)), 30, 30, False, id="the minimum beats the cap"),
    ],
)
def test_warm_up_goes_on_until_steady(
    seconds: chain[float], required: int, count: int, steady: bool
) -> None:
    values = iter(seconds)
    found = warm_up(lambda: next(values), required)
    assert len(found.decode_seconds) == count
    assert found.steady is steady
    assert found.required == required
    assert found.cap == max(CAP, required)


@pytest.mark.parametrize(
    ("each_s", "required", "count", "steady"),
    [
        pytest.param(1.0, 5, 5, True, id="all of them fit"),
        pytest.param(8.0, 5, 3, True, id="the required number doesn't fit"),
        pytest.param(14.0, 3, 2, False, id="too few to tell"),
        pytest.param(400.0, 3, 1, False, id="one is always made"),
    ],
)
def test_warm_up_ends_with_its_time(each_s: float, required: int, count: int, steady: bool) -> None:
    now = [0.0]

    def generate() -> float:
        now[0] += each_s
        return each_s

    found = warm_up(generate, required, limit_s=30.0, clock=lambda: now[0])
    assert len(found.decode_seconds) == count
    assert found.steady is steady
    assert now[0] <= max(30.0, each_s)
    assert (found.note is None) is (count >= required)


def test_what_gets_no_steadier_is_not_waited_for_and_says_so() -> None:
    now = [0.0]
    seconds = cycle((2.0, 3.0))

    def on_a_busy_machine() -> float:
        took_s = next(seconds)
        now[0] += took_s
        return took_s

    found = warm_up(on_a_busy_machine, 3, limit_s=30.0, clock=lambda: now[0])
    assert not found.steady
    assert 25.0 < now[0] <= 30.0
    assert found.note == f"the time was up after {len(found.decode_seconds)} generations, unsteady"


def test_all_that_was_discarded_is_kept() -> None:
    values = iter([5.0, 1.0, 1.0, 1.0])
    assert warm_up(lambda: next(values), 4).decode_seconds == (5.0, 1.0, 1.0, 1.0)
