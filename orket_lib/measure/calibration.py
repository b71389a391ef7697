"""What has to be found out about a server before its numbers mean anything.

When it starts its generation clock differs between builds (T4), and how many tokens of a prompt are
the chat template's own decides what a cache hit is (T7). Neither is assumed.
"""

from __future__ import annotations

from orket_lib.measure.probe_requests import ProbeMaker
from orket_lib.measure.tokens import Tokens
from orket_lib.providers.base import Model
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import DecodeClock


def template_tokens(model: Model, maker: ProbeMaker) -> int | None:
    """Return how many tokens the chat template adds to a prompt, or None when it can't be told."""
    request = maker.request(1)
    prompt = Tokens.of(model.generate(request), None).prompt
    return None if isinstance(prompt, Null) else max(0, prompt - model.count_tokens(request.prompt))


def decode_clock(model: Model, maker: ProbeMaker) -> tuple[DecodeClock | None, str]:
    """Find out when the server starts its generation clock, and return that with the evidence.

    One generated token takes no time on a clock that starts at the first token, and about one
    token's time on a clock that starts when the prompt is done. What a token's time is, the
    client's own clock tells.
    """
    many = Tokens.of(model.generate(maker.request(32)), None)
    one = Tokens.of(model.generate(maker.request(1)), None)
    if (
        isinstance(one.decode_s, Null)
        or isinstance(many.client_decode_s, Null)
        or isinstance(many.output, Null)
        or many.output < 2
    ):
        return None, "the server sends no generation time or no token count"
    token_s = many.client_decode_s / (many.output - 1)
    evidence = (
        f"one token: {one.decode_s * 1000:.3f} ms by the server's clock, "
        f"{token_s * 1000:.3f} ms per token by ours"
    )
    return ("first_token" if one.decode_s < token_s / 2 else "prompt_end"), evidence
