from __future__ import annotations

import pytest

from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import (
    MIN_OUTPUT_TOKENS,
    decode_intervals,
    decode_rate,
    overhead_ratio,
    prefill_rate,
)
from orket_lib.vocabulary.thresholds import exceeds, reaches

NO = Null("BECAUSE")


def test_a_clock_that_starts_at_the_first_token_spans_one_interval_less() -> None:
    assert decode_intervals(32, "first_token") == 31
    assert decode_intervals(32, "prompt_end") == 32


def test_the_naive_rate_is_inflated_by_n_over_n_minus_one() -> None:
    right = decode_rate(decode_intervals(32, "first_token"), 0.31, 32)
    assert not isinstance(right, Null)
    assert right == pytest.approx(100.0)
    assert pytest.approx(right * 32 / 31) == 32 / 0.31


@pytest.mark.parametrize(
    ("intervals", "seconds", "tokens", "expected"),
    [
        pytest.param(15, 1.0, 16, 15.0, id="16 tokens are enough"),
        pytest.param(14, 1.0, 15, Null("TOO_FEW_OUTPUT_TOKENS"), id="15 tokens are not"),
        pytest.param(-1, 1.0, 0, Null("TOO_FEW_OUTPUT_TOKENS"), id="no tokens"),
        pytest.param(127, 0.0, 128, Null("TIMING_UNAVAILABLE"), id="zero seconds"),
        pytest.param(NO, 1.0, 128, NO, id="no intervals"),
        pytest.param(127, NO, 128, NO, id="no seconds"),
        pytest.param(127, 1.0, NO, NO, id="no tokens known"),
    ],
)
def test_a_decode_rate_needs_enough_tokens_and_a_time(
    intervals: int | Null, seconds: float | Null, tokens: int | Null, expected: float | Null
) -> None:
    assert decode_rate(intervals, seconds, tokens) == expected
    assert MIN_OUTPUT_TOKENS == 16


@pytest.mark.parametrize(
    ("uncached", "seconds", "expected"),
    [
        pytest.param(500, 0.5, 1000.0, id="plain"),
        pytest.param(0, 0.5, Null("PROMPT_FULLY_CACHED"), id="all cached"),
        pytest.param(-3, 0.5, Null("PROMPT_FULLY_CACHED"), id="more cached than sent"),
        pytest.param(500, 0.0, Null("TIMING_UNAVAILABLE"), id="zero seconds"),
        pytest.param(NO, 0.5, NO, id="no count"),
        pytest.param(500, NO, NO, id="no time"),
    ],
)
def test_a_prefill_rate_counts_processed_tokens_only(
    uncached: int | Null, seconds: float | Null, expected: float | Null
) -> None:
    assert prefill_rate(uncached, seconds) == expected


@pytest.mark.parametrize(
    ("total", "internal", "expected"),
    [
        pytest.param(2.0, 1.5, 0.25, id="a quarter outside"),
        pytest.param(1.0, 1.2, 0.0, id="never negative"),
        pytest.param(0.0, 0.0, Null("TIMING_UNAVAILABLE"), id="no time at all"),
        pytest.param(NO, 1.0, NO, id="total unknown"),
        pytest.param(1.0, NO, NO, id="internal unknown"),
    ],
)
def test_overhead_is_the_share_outside_the_model(
    total: float | Null, internal: float | Null, expected: float | Null
) -> None:
    assert overhead_ratio(total, internal) == expected


def test_a_product_that_rounds_below_its_threshold_still_reaches_it() -> None:
    assert 0.8 * 0.9 != 0.72  # what makes the exact comparison wrong
    assert reaches(0.72, 0.8 * 0.9)
    assert reaches(0.8 * 0.9, 0.72)


def test_comparisons_tolerate_noise_and_nothing_more() -> None:
    assert not exceeds(0.1 + 0.2, 0.3)
    assert exceeds(0.300001, 0.3)
    assert not reaches(0.719999, 0.72)
    assert not exceeds(0.25, 0.25)
