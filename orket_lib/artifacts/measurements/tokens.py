"""Token counts and times of one request: what the server reported, and what is derived from it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, Record
from orket_lib.vocabulary.statuses import TokenStatus


class TokenCounts(Measured):
    """Counts that the server reports; chunks of a stream are never counted as tokens (T5)."""

    prompt_tokens: Count
    output_tokens: Count
    thinking_tokens: Count = Field(
        None,
        description="of these, reasoning: by the server, else the text of the reasoning by the "
        "server's tokenizer",
    )
    total_tokens: Count


class TokenLatencies(Measured):
    """Times of one request."""

    ttft_ms: Reading = Field(description="first non-empty chunk - start of the request (client)")
    prefill_seconds: Reading = Field(description="server's prompt time")
    decode_seconds: Reading = Field(description="server's generation time")
    total_turn_seconds: Reading = Field(description="last content chunk - start of the request")


class TokenThroughput(Measured):
    """Rates of one request; null under 16 output tokens (T19)."""

    prompt_tokens_per_second: Reading
    generation_tokens_per_second: Reading


class TokenAudit(Record):
    """What the server sent, unchanged, and a note on it."""

    raw_usage: dict[str, Any] | None = None
    raw_timings: dict[str, Any] | None = None
    note: str | None = Field(
        None,
        description="why a count is missing, or from which request it is; null: nothing to say",
    )


class TokenMetrics(Record):
    """Everything about the tokens of one request, or of all requests of a runner."""

    status: TokenStatus
    source: Literal["server", "runner"] = Field(
        "server", description="`runner`: as reported by its command, with unknown clocks"
    )
    counts: TokenCounts
    latencies: TokenLatencies
    throughput: TokenThroughput
    audit: TokenAudit
