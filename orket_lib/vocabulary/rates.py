"""Token rates: the one definition of each.

Nothing is rounded, and nothing is divided by a time that was not measured.
"""

from __future__ import annotations

from typing import Literal

from orket_lib.vocabulary.nulls import Null

DecodeClock = Literal["first_token", "prompt_end"]

MIN_OUTPUT_TOKENS = 16  # a rate over fewer tokens is too noisy (T19)


def decode_intervals(output_tokens: int, clock: DecodeClock) -> int:
    """Return how many token intervals a server's generation time spans (T4).

    A clock that starts at the first token spans one interval less than there are tokens; dividing
    the tokens by it inflates the rate by n/(n-1).
    """
    return output_tokens - 1 if clock == "first_token" else output_tokens


def decode_rate(
    intervals: int | Null, seconds: float | Null, output_tokens: int | Null
) -> float | Null:
    """Return tokens per second of generation."""
    if isinstance(output_tokens, Null):
        return output_tokens
    if output_tokens < MIN_OUTPUT_TOKENS:  # however they arrived
        return Null("TOO_FEW_OUTPUT_TOKENS")
    if isinstance(intervals, Null):
        return intervals
    if isinstance(seconds, Null):
        return seconds
    return intervals / seconds if seconds > 0 else Null("TIMING_UNAVAILABLE")


def prefill_rate(uncached_tokens: int | Null, seconds: float | Null) -> float | Null:
    """Return prompt tokens per second, over the tokens that were not cached (T3, T7)."""
    if isinstance(uncached_tokens, Null):
        return uncached_tokens
    if isinstance(seconds, Null):
        return seconds
    if uncached_tokens <= 0:
        return Null("PROMPT_FULLY_CACHED")
    return uncached_tokens / seconds if seconds > 0 else Null("TIMING_UNAVAILABLE")


def overhead_ratio(total: float | Null, internal: float | Null) -> float | Null:
    """Return the share of a request's time that the model did not use."""
    if isinstance(total, Null):
        return total
    if isinstance(internal, Null):
        return internal
    return max(0.0, total - internal) / total if total > 0 else Null("TIMING_UNAVAILABLE")
