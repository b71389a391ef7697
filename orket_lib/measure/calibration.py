"""What has to be found out about a server before its numbers mean anything.

When it starts its generation clock differs between builds (T4), and how many tokens of a prompt are
the chat template's own decides what a cache hit is (T7). Neither is assumed.
"""

from __future__ import annotations

import statistics

from orket_lib.measure.probe_requests import ProbeMaker
from orket_lib.measure.tokens import Tokens
from orket_lib.providers.base import Model
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import DecodeClock

_TRIES = 3  # one disturbed generation must not decide
_SHORT = 32


def template_tokens(model: Model, maker: ProbeMaker) -> int | None:
    """Return how many tokens the chat template adds to a prompt, or None when it can't be told."""
    request = maker.request(1)
    prompt, bare = model.generate(request).tokens.prompt, model.count_tokens(request.prompt)
    return None if prompt is None or bare is None else max(0, prompt - bare)


def decode_clock(model: Model, maker: ProbeMaker) -> tuple[DecodeClock | None, str]:
    """Find out when the server starts its generation clock, and return that with the evidence.

    One generated token takes no time on a clock that starts at the first token, and about one
    token's time on a clock that starts when the prompt is done. What a token's time is, the
    client's own clock tells.
    """
    token_times = [_token_s(model, maker) for _ in range(_TRIES)]
    one_times = [Tokens.of(model.generate(maker.request(1)), None).decode_s for _ in range(_TRIES)]
    tokens = [value for value in token_times if not isinstance(value, Null)]
    ones = [value for value in one_times if not isinstance(value, Null)]
    if not tokens or not ones:
        return None, "the server sends no generation time or no token count"
    one_s, token_s = statistics.median(ones), statistics.median(tokens)
    evidence = (
        f"one token: {one_s * 1000:.3f} ms by the server's clock, "
        f"{token_s * 1000:.3f} ms per token by ours"
    )
    return ("first_token" if one_s < token_s / 2 else "prompt_end"), evidence


def _token_s(model: Model, maker: ProbeMaker) -> float | Null:
    """Return the time of one token in a short generation, by the client's clock."""
    tokens = Tokens.of(model.generate(maker.request(_SHORT)), None)
    if isinstance(tokens.client_decode_s, Null):
        return tokens.client_decode_s
    if isinstance(tokens.output, Null) or tokens.output < 2:
        return Null("TOKEN_COUNT_UNAVAILABLE")
    return tokens.client_decode_s / (tokens.output - 1)
