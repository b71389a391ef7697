from __future__ import annotations

import math
from typing import Any

import pytest
from builders import generation

from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import TokenStatus

USAGE = {"prompt_tokens": 64, "completion_tokens": 32}
TIMINGS = {"cache_n": 0, "prompt_n": 64, "prompt_ms": 100.0, "predicted_ms": 310.0}
NO_COUNT = Null("TOKEN_COUNT_UNAVAILABLE")
NO_CACHE_COUNT = Null("CACHED_TOKENS_UNKNOWN")
NO_TIME = Null("TIMING_UNAVAILABLE")
TEXT = tuple(0.11 + 0.01 * index for index in range(32))


def tokens(
    usage: dict[str, Any] | None = USAGE,
    timings: dict[str, Any] | None = TIMINGS,
    chunk_s: tuple[float, ...] = TEXT,
) -> Tokens:
    return Tokens.of(generation(usage=usage, timings=timings, chunk_s=chunk_s), "first_token")


def test_counts_come_from_usage_and_times_from_timings() -> None:
    found = tokens()
    assert (found.prompt, found.output, found.cached, found.uncached) == (64, 32, 0, 64)
    assert (found.prefill_s, found.decode_s, found.internal_s) == (0.1, 0.31, 0.1 + 0.31)
    assert found.status is TokenStatus.OK


def test_chunks_are_never_counted_as_tokens() -> None:
    assert tokens(chunk_s=(0.1,)).output == 32
    assert tokens(usage=None, chunk_s=(0.1,) * 50).output == NO_COUNT


def test_client_times_come_from_chunks() -> None:
    found = tokens()
    assert found.ttft_ms == pytest.approx(110)
    assert found.total_s == pytest.approx(0.42)
    assert found.client_decode_s == pytest.approx(0.31)


def test_an_answer_without_content_has_no_client_times() -> None:
    found = tokens(chunk_s=())
    no_content = Null("NO_CONTENT")
    assert (found.ttft_ms, found.total_s, found.client_decode_s) == (no_content,) * 3
    assert tokens(chunk_s=(0.3,)).client_decode_s == no_content


def test_the_decode_rate_is_corrected_for_the_start_of_the_clock() -> None:
    assert tokens().decode_tps == pytest.approx(100.0)
    late = Tokens.of(generation(usage=USAGE, timings=TIMINGS), "prompt_end")
    assert late.decode_tps == pytest.approx(32 / 0.31)
    unknown = Tokens.of(generation(usage=USAGE, timings=TIMINGS), None)
    assert unknown.decode_tps == Null("DECODE_CLOCK_UNKNOWN")


def test_a_short_answer_has_no_decode_rate() -> None:
    found = tokens(usage={"prompt_tokens": 64, "completion_tokens": 3})
    assert found.decode_tps == Null("TOO_FEW_OUTPUT_TOKENS")
    assert found.prefill_tps == 640.0


@pytest.mark.parametrize(
    ("usage", "timings", "uncached", "rate"),
    [
        pytest.param(USAGE, TIMINGS, 64, 640.0, id="nothing cached"),
        pytest.param(
            USAGE, TIMINGS | {"cache_n": 60, "prompt_n": 4}, 4, 40.0, id="server counts new tokens"
        ),
        pytest.param(
            USAGE | {"prompt_tokens_details": {"cached_tokens": 60}},
            {"prompt_ms": 100.0, "predicted_ms": 1.0},
            4,
            40.0,
            id="server counts cached tokens",
        ),
        pytest.param(
            USAGE,
            {"prompt_ms": 100.0, "predicted_ms": 1.0},
            NO_CACHE_COUNT,
            NO_CACHE_COUNT,
            id="cache state unknown",
        ),
        pytest.param(
            USAGE,
            TIMINGS | {"cache_n": 64, "prompt_n": 0},
            0,
            Null("PROMPT_FULLY_CACHED"),
            id="all cached",
        ),
    ],
)
def test_prefill_counts_only_tokens_that_were_processed(
    usage: dict[str, Any], timings: dict[str, Any], uncached: int | Null, rate: float | Null
) -> None:
    found = tokens(usage, timings)
    assert found.uncached == uncached
    assert found.prefill_tps == rate


AT_ONCE = {"prompt_tokens": 64, "completion_tokens": 1}


@pytest.mark.parametrize(
    ("usage", "timings", "chunk_s", "status"),
    [
        pytest.param(USAGE, TIMINGS, TEXT, TokenStatus.OK, id="both"),
        pytest.param(USAGE, TIMINGS, (), TokenStatus.OK, id="no text to be timed by us"),
        pytest.param(USAGE, None, TEXT, TokenStatus.OK, id="times by our clock only"),
        pytest.param(USAGE, {"prompt_ms": 1.0}, TEXT, TokenStatus.OK, id="half of timings"),
        pytest.param(USAGE, None, (), TokenStatus.NO_TIMES, id="no times of anybody"),
        pytest.param(USAGE, {"prompt_ms": 1.0}, (), TokenStatus.NO_TIMES, id="half, and no text"),
        pytest.param(AT_ONCE, None, (), TokenStatus.OK, id="an answer that ended at once"),
        pytest.param(None, TIMINGS, TEXT, TokenStatus.NO_COUNTS, id="no usage"),
        pytest.param(None, None, TEXT, TokenStatus.NO_COUNTS, id="nothing from the server"),
        pytest.param(None, None, (), TokenStatus.NOTHING, id="neither"),
        pytest.param({}, {}, (), TokenStatus.NOTHING, id="both empty"),
        pytest.param(
            {"prompt_tokens": 64}, TIMINGS, TEXT, TokenStatus.NO_COUNTS, id="half of usage"
        ),
        pytest.param(
            USAGE, {"prompt_ms": 0, "predicted_ms": 0}, (), TokenStatus.OK, id="zero is a time"
        ),
        pytest.param(USAGE, None, (9.0,), TokenStatus.OK, id="text that arrived at once"),
    ],
)
def test_the_status_tells_which_of_counts_and_times_there_are(
    usage: dict[str, Any] | None,
    timings: dict[str, Any] | None,
    chunk_s: tuple[float, ...],
    status: TokenStatus,
) -> None:
    found = tokens(usage, timings, chunk_s)
    assert found.status is status
    assert found.metrics().status is status


def test_without_times_of_the_server_nothing_is_internal_and_no_rate_is_the_servers() -> None:
    found = tokens(timings=None)
    assert found.status is TokenStatus.OK
    assert (found.internal_s, found.decode_tps) == (NO_TIME, NO_TIME)
    assert found.ttft_ms == pytest.approx(110)


@pytest.mark.parametrize("value", [None, "32", True, False, -1, 1.5, math.nan, math.inf, [], {}])
def test_a_count_that_is_no_count_was_not_sent(value: Any) -> None:
    found = tokens(usage={"prompt_tokens": 64, "completion_tokens": value})
    assert found.output == NO_COUNT
    assert found.decode_tps == NO_COUNT
    metrics = found.metrics()
    assert metrics.counts.output_tokens is None
    assert metrics.counts.total_tokens is None
    assert metrics.counts.null_reasons["output_tokens"] == NO_COUNT.reason


@pytest.mark.parametrize("value", [None, "1", True, False, -0.1, math.nan, math.inf, -math.inf, []])
def test_a_time_that_is_no_time_was_not_sent(value: Any) -> None:
    found = tokens(timings=TIMINGS | {"predicted_ms": value})
    assert found.decode_s == NO_TIME
    assert found.internal_s == NO_TIME
    assert found.decode_tps == NO_TIME
    assert found.metrics().latencies.decode_seconds is None


def test_zero_seconds_give_no_rate() -> None:
    found = tokens(timings=TIMINGS | {"predicted_ms": 0, "prompt_ms": 0})
    assert (found.decode_tps, found.prefill_tps) == (NO_TIME, NO_TIME)


def test_what_the_server_sent_is_kept() -> None:
    raw = TIMINGS | {"draft_n": 3}
    audit = tokens(timings=raw).metrics().audit
    assert (audit.raw_usage, audit.raw_timings) == (USAGE, raw)
