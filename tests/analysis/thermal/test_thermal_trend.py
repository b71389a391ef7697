"""Rises beyond noise: what is one, what is none, and how often noise is taken for one."""

from __future__ import annotations

import itertools
import math

import pytest
from scipy.stats import kendalltau
from simulated_series import ALLOWED, KINDS, Kind, series, share_rising

from orket_lib.analysis.thermal.trend import (
    LEAST_RISE,
    MOST_HIDDEN,
    Run,
    Trend,
    median_slope,
    noise_of,
    trend_of,
)


def of(*seconds: float, window: int = 2) -> Trend:
    found = trend_of([Run(value) for value in seconds], window)
    assert found is not None
    return found


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_runs_show_no_trend(count: int) -> None:
    assert trend_of([Run(1.0 + step) for step in range(count)], 1) is None


@pytest.mark.parametrize(
    ("seconds", "window", "rises"),
    [
        pytest.param((1.0, 1.1, 1.2), 2, True, id="three runs, each longer by as much"),
        pytest.param((1.0, 1.1, 1.0, 1.1, 1.0, 1.1, 1.0, 1.1), 2, False, id="to and fro"),
        pytest.param((1.0, 1.1, 1.0, 1.1, 1.0, 1.1, 1.0, 1.1), 1, False, id="to and fro, by one"),
        pytest.param((1.0, 1.0, 1.0, 1.0, 1.0), 2, False, id="all the same"),
        pytest.param((1.0, 1.001, 1.002, 1.003), 2, False, id="too little to matter"),
        pytest.param((1.0, 1.02, 1.03, 1.05, 1.06, 1.08), 3, True, id="slowly, over all"),
        pytest.param((1.08, 1.06, 1.05, 1.03, 1.02, 1.0), 2, False, id="faster and faster"),
        pytest.param((1.0, 1.3, 1.0, 0.8, 1.4, 1.1), 2, False, id="wild"),
    ],
)
def test_a_rise_is_one_beyond_the_noise(
    seconds: tuple[float, ...], window: int, rises: bool
) -> None:
    assert bool(of(*seconds, window=window).rises) is rises


def test_a_machine_that_gets_faster_falls() -> None:
    found = of(1.08, 1.06, 1.05, 1.03, 1.02, 1.0)
    assert (found.rises, found.falls[0]) == ((), (0, 5))
    assert found.total_ratio == pytest.approx(-0.077, abs=0.01)


def test_a_rise_at_the_end_is_found_where_it_is() -> None:
    found = of(1.0, 1.001, 0.999, 1.0, 1.001, 1.0, 0.999, 1.0, 1.03, 1.06, 1.09, window=3)
    assert (8, 10) not in found.rises
    assert (7, 10) in found.rises


def test_noise_is_the_larger_of_what_is_seen_within_the_runs_and_between_them() -> None:
    values = [0.0, 0.02, 0.0, 0.02]
    between = math.sqrt(2 * 0.04**2 / (6 * 2))
    assert noise_of(values, []).spread == pytest.approx(between)
    loud = [Run(1.0, (0.5, 1.5))] * 4
    found = noise_of(values, loud)
    assert found.spread == found.within == pytest.approx(0.5)
    assert found.freedom[1] == 4


def test_what_varies_within_the_runs_hides_a_small_rise() -> None:
    quiet = [Run(1 + 0.02 * step) for step in range(4)]
    loud = [Run(run.latency, (run.latency - 0.1, run.latency + 0.1)) for run in quiet]
    found, hidden = trend_of(quiet, 2), trend_of(loud, 2)
    assert found is not None
    assert hidden is not None
    assert found.rises
    assert not hidden.rises
    assert hidden.least_ratio > found.least_ratio == pytest.approx(math.expm1(LEAST_RISE))


@pytest.mark.parametrize("seconds", [(1, 2, 3, 4), (2, 1, 4, 3, 5), (5, 4, 3, 2, 1), (3, 1, 2)])
def test_the_chance_of_an_order_is_kendalls(seconds: tuple[float, ...]) -> None:
    expected = kendalltau(range(len(seconds)), seconds, alternative="greater", method="exact")
    assert of(*seconds).p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    "seconds", [(1, 1, 1), (1, 1, 2), (1, 2, 3, 4, 4), (2, 1, 3, 3, 1), (5, 5, 4, 6, 6, 6)]
)
def test_where_values_tie_the_chance_is_that_of_all_their_orders(seconds: tuple[int, ...]) -> None:
    def reversed_pairs(values: tuple[int, ...]) -> int:
        return sum(one > other for one, other in itertools.combinations(values, 2))

    orders = set(itertools.permutations(seconds))
    as_good = sum(reversed_pairs(order) <= reversed_pairs(seconds) for order in orders)
    assert of(*seconds).p_value == pytest.approx(as_good / len(orders))


def test_a_rise_that_levels_out_is_a_rise() -> None:
    assert of(1.0, 1.05, 1.1, 1.2, 1.2).rises


def test_the_median_slope_does_not_care_for_one_outlier() -> None:
    points = [(place, 0.01 * place) for place in range(7)]
    points[3] = (3, 5.0)
    assert median_slope(points) == pytest.approx(0.01)


# The whole table, and what of real heat is found, is printed by simulated_series.py (.ci/full).
@pytest.mark.parametrize("kind", KINDS[::2], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("length", "window"), [(3, 2), (6, 2), (20, 2)])
def test_noise_alone_hardly_ever_rises(kind: Kind, length: int, window: int) -> None:
    assert share_rising(kind, length, window, 1000, seed=7) <= ALLOWED


@pytest.mark.parametrize(("rise", "length", "found"), [(0.01, 8, 0.9), (0.03, 5, 0.85)])
def test_a_real_rise_is_found(rise: float, length: int, found: float) -> None:
    assert share_rising(KINDS[0], length, 2, 200, seed=7, rise=rise) >= found


@pytest.mark.parametrize(
    ("seconds", "steady"),
    [
        pytest.param((1.0, 1.01, 1.0), True, id="three quiet runs"),
        pytest.param((1.0, 1.0, 1.0), True, id="all the same"),
        pytest.param((1.0, 1.04, 1.0), False, id="three runs that vary"),
        pytest.param((1.0, 1.2, 1.4, 0.9), False, id="wild"),
        pytest.param((1.0, 1.08, 1.0, 1.08, 1.0, 1.08, 1.0, 1.08), True, id="to and fro, often"),
        pytest.param((1.0, 1.1, 1.2, 1.3), False, id="rising"),
    ],
)
def test_a_series_is_steady_where_no_rise_that_matters_can_hide(
    seconds: tuple[float, ...], steady: bool
) -> None:
    assert of(*seconds).steady is steady


@pytest.mark.parametrize("length", [3, 5, 8, 20])
@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_a_series_that_rises_by_more_than_that_is_hardly_ever_called_steady(
    length: int, noise: float
) -> None:
    kind = Kind("white", noise, None, KINDS[0].draw)
    rising = series(kind, length, 1000, seed=7, rise=(MOST_HIDDEN + 0.02) / (length - 1))
    found = [trend_of(runs, 2) for runs in rising]
    assert sum(bool(trend and trend.steady) for trend in found) <= 1000 * 0.06


@pytest.mark.parametrize(("length", "noise"), [(3, 0.01), (5, 0.02), (8, 0.04)])
def test_a_steady_machine_is_called_steady_more_often_than_not(length: int, noise: float) -> None:
    kind = Kind("white", noise, None, KINDS[0].draw)
    found = [trend_of(runs, 2) for runs in series(kind, length, 500, seed=7)]
    assert sum(bool(trend and trend.steady) for trend in found) > 350
