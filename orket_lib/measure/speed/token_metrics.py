"""Token counts, times and rates of a generation, each measured or null with a reason.

Counts and times are those that the server reports; chunks of a stream are never counted as tokens
(T5). Times by our own clock count only if the text arrived as it was generated; see `arrivals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from orket_lib.artifacts.measurements.tokens import (
    TokenAudit,
    TokenCounts,
    TokenLatencies,
    TokenMetrics,
    TokenThroughput,
)
from orket_lib.measure.speed.arrivals import NO_CHUNK, Arrivals
from orket_lib.providers.base import Generation
from orket_lib.vocabulary.nulls import Null, all_of, apply, first_null
from orket_lib.vocabulary.rates import DecodeClock, decode_intervals, decode_rate, prefill_rate
from orket_lib.vocabulary.statuses import TokenStatus

_Number = TypeVar("_Number", int, float)

NO_COUNT = Null("TOKEN_COUNT_UNAVAILABLE")
NOT_THOUGHT = Null("NO_THINKING_SENT")
THINKING_NOT_COUNTED = Null("THINKING_NOT_COUNTED")
NO_CACHE_COUNT = Null("CACHED_TOKENS_UNKNOWN")
NO_TIME = Null("TIMING_UNAVAILABLE")
NO_CLOCK = Null("DECODE_CLOCK_UNKNOWN")


@dataclass(frozen=True)
class Tokens:
    """The token counts and times of a generation; times are in seconds.

    Attributes:
        client_prompt_s: Until the first token, if it was sent and arrived when it was generated.
        client_decode_s: From the first to the last chunk, if they arrived as they were generated.
        span_s: The same, however they arrived; for no rate.
        total_s: From the request to the last chunk.
        note: What the provider says about these numbers; may be empty.
    """

    prompt: int | Null
    cached: int | Null
    uncached: int | Null
    output: int | Null
    thinking: int | Null
    ttft_ms: float | Null
    prefill_s: float | Null
    decode_s: float | Null
    client_prompt_s: float | Null
    client_decode_s: float | Null
    span_s: float | Null
    total_s: float | Null
    intervals: int | Null
    usage: dict[str, Any] | None
    timings: dict[str, Any] | None
    note: str

    @classmethod
    def of(cls, generation: Generation, clock: DecodeClock | None) -> Tokens:
        """Read a generation's counts and times.

        Args:
            generation: The finished generation.
            clock: When the server starts its generation clock; None if unknown.
        """
        said, chunks = generation.tokens, generation.chunk_s
        arrivals = Arrivals(generation, clock)
        output = _or_null(said.output, NO_COUNT)
        unknown = NO_COUNT if said.prompt is None else NO_CACHE_COUNT
        return cls(
            prompt=_or_null(said.prompt, NO_COUNT),
            cached=_or_null(said.cached, unknown),
            uncached=_or_null(said.uncached, unknown),
            output=output,
            thinking=_thinking(generation),
            ttft_ms=apply(lambda first_s: first_s * 1000, arrivals.first_s),
            prefill_s=_or_null(said.prefill_s, NO_TIME),
            decode_s=_or_null(said.decode_s, NO_TIME),
            client_prompt_s=arrivals.prompt_s,
            client_decode_s=arrivals.span_s,
            span_s=chunks[-1] - chunks[0] if len(chunks) > 1 else NO_CHUNK,
            total_s=chunks[-1] if chunks else NO_CHUNK,
            intervals=_intervals(output, clock),
            usage=generation.usage,
            timings=generation.timings,
            note=said.note,
        )

    @property
    def internal_s(self) -> float | Null:
        """Time inside the model: prompt and generation, by the server's clock."""
        return all_of((self.prefill_s, self.decode_s), sum, NO_TIME)

    @property
    def prefill_tps(self) -> float | Null:
        """Prompt tokens per second, by the server's clock."""
        return prefill_rate(self.uncached, self.prefill_s)

    @property
    def decode_tps(self) -> float | Null:
        """Generated tokens per second, by the server's clock corrected for its start (T4)."""
        return decode_rate(self.intervals, self.decode_s, self.output)

    @property
    def status(self) -> TokenStatus:
        """Which counts and times are available: the server's times, else our own of its text.

        An answer that ended immediately has no text to time, and lacks nothing.
        """
        counts = not first_null((self.prompt, self.output))
        ended_at_once = not isinstance(self.output, Null) and self.output <= 1
        times = ended_at_once or not (
            isinstance(self.internal_s, Null) and isinstance(self.total_s, Null)
        )
        if counts:
            return TokenStatus.OK if times else TokenStatus.NO_TIMES
        return TokenStatus.NO_COUNTS if times else TokenStatus.NOTHING

    @property
    def gap(self) -> str:
        """Which counts and times are missing, in words."""
        return f"{self.status.value}: {self.note}" if self.note else self.status.value

    def metrics(self) -> TokenMetrics:
        """Return the metrics as in artifacts."""
        total = all_of((self.prompt, self.output), sum, NO_COUNT)
        return TokenMetrics(
            status=self.status,
            counts=TokenCounts.of(
                prompt_tokens=self.prompt,
                output_tokens=self.output,
                thinking_tokens=self.thinking,
                total_tokens=total,
            ),
            latencies=TokenLatencies.of(
                ttft_ms=self.ttft_ms,
                prefill_seconds=self.prefill_s,
                decode_seconds=self.decode_s,
                total_turn_seconds=self.total_s,
            ),
            throughput=TokenThroughput.of(
                prompt_tokens_per_second=self.prefill_tps,
                generation_tokens_per_second=self.decode_tps,
            ),
            audit=TokenAudit(
                raw_usage=self.usage, raw_timings=self.timings, note=self.note or None
            ),
        )


def _thinking(generation: Generation) -> int | Null:
    """Return the tokens of reasoning; a count of 0 beside reasoning that was sent is none (T9)."""
    said = generation.tokens.thinking
    if said or (said == 0 and not generation.reasoned):
        return said
    return THINKING_NOT_COUNTED if generation.reasoned else NOT_THOUGHT


def _intervals(output: int | Null, clock: DecodeClock | None) -> int | Null:
    if isinstance(output, Null):
        return output
    return NO_CLOCK if clock is None else decode_intervals(output, clock)


def _or_null(value: _Number | None, missing: Null) -> _Number | Null:
    return missing if value is None else value
