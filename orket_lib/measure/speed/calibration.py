"""Calibrates a server: what must be known before its numbers can be interpreted.

Builds differ in when they start the generation clock (T4), and the number of template tokens
decides what counts as a cache hit (T7). Neither is assumed. The approximate speed decides how long
probes are (T29). All is measured with minimal requests: one sentence, answered with one and with a
few tokens.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.measurements.server_facts import Findings, Pace
from orket_lib.measure.speed.probe_prompts import FEW_TOKENS, ProbeMaker
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import DecodeClock

_MORE_TOKENS = 32  # for a quick server, whose first tokens are too close together for our clock
_MOST_TOKENS = 256  # on a busy machine our reading may stop for as long as fewer of them take
_QUICK_S = 0.5
_TRIES, _AGREEING = 5, 2  # so that one disturbed generation can't decide


@dataclass(frozen=True)
class _Short:
    """A short generation, and its duration by our clock."""

    request: GenerationRequest
    tokens: Tokens
    seconds: float

    @classmethod
    def of(cls, model: Model, request: GenerationRequest) -> _Short:
        begin_s = time.perf_counter()
        tokens = Tokens.of(model.generate(request), None)
        whole_s = time.perf_counter() - begin_s
        return cls(request, tokens, _else(tokens.total_s, whole_s))


@dataclass(frozen=True)
class _Pair:
    """A generation of one token, and one of several."""

    one: _Short
    several: _Short

    @classmethod
    def of(cls, model: Model, maker: ProbeMaker, tokens: int) -> _Pair:
        one = _Short.of(model, maker.short(1))
        return cls(one, _Short.of(model, maker.short(tokens)))

    @property
    def token_s(self) -> float | Null:
        """The time of one token, by our clock."""
        tokens = self.several.tokens
        if isinstance(tokens.span_s, Null):
            return tokens.span_s
        if isinstance(tokens.output, Null) or tokens.output < 2:
            return Null("TOKEN_COUNT_UNAVAILABLE")
        if tokens.span_s < _else(tokens.decode_s, 0.0) / 2:
            return Null("STREAM_BUFFERED")  # tokens did not arrive when they were made (T31)
        return tokens.span_s / (tokens.output - 1)

    @property
    def clock(self) -> DecodeClock | None:
        """When the server starts its generation clock.

        One generated token takes no time on a clock that starts at the first token, and about one
        token's time on a clock that starts when the prompt is done.
        """
        one_s, token_s = self.one.tokens.decode_s, self.token_s
        if isinstance(one_s, Null) or isinstance(token_s, Null):
            return None
        return "first_token" if one_s < token_s / 2 else "prompt_end"

    def pace(self, expected: float) -> Pace:
        """Return the speed of the server.

        Args:
            expected: Prompt tokens, for a server that doesn't count them.
        """
        tokens = self.one.tokens
        if isinstance(tokens.prefill_s, Null) or isinstance(tokens.uncached, Null):
            prompt_s, count = self.one.seconds, _else(tokens.prompt, expected)
        else:
            prompt_s, count = tokens.prefill_s, tokens.uncached
        # A buffered stream has no times per token (T31).
        asked = _else(self.several.tokens.output, self.several.request.max_tokens)
        longer_s = (self.several.seconds - self.one.seconds) / max(1, asked - 1)
        return Pace(
            prompt_token_s=prompt_s / max(1, count),
            output_token_s=max(0.0, longer_s, _else(self.token_s, 0.0)),
        )


def calibrate(model: Model, maker: ProbeMaker) -> Findings:
    """Calibrate a served model.

    Raises:
        RequestFailed, RequestTimedOut, ServerCrashed: It does not answer.
    """
    first = _Pair.of(model, maker, FEW_TOKENS)
    quick = first.several.seconds < _QUICK_S
    pairs = [] if quick else [first]
    tells_times = not isinstance(first.one.tokens.decode_s, Null)
    tokens = _MORE_TOKENS if quick else FEW_TOKENS
    while tells_times and len(pairs) < _TRIES and max(_votes(pairs).values()) < _AGREEING:
        pair = _Pair.of(model, maker, tokens)
        pairs.append(pair)
        if pair.clock is None and pair.several.seconds < _QUICK_S:
            tokens = min(2 * tokens, _MOST_TOKENS)
    clock, evidence = _decode_clock(pairs)
    paces = [pair.pace(maker.short_tokens) for pair in (first, *pairs)]
    return Findings(
        costs=maker.costs,
        decode_clock=clock,
        decode_clock_evidence=evidence,
        template_tokens=_template_tokens(model, first.one),
        settled=clock is not None or not any(_votes(pairs).values()),
        pace=Pace(  # the fastest: a slow generation may have been disturbed
            prompt_token_s=min(pace.prompt_token_s for pace in paces),
            output_token_s=min(pace.output_token_s for pace in paces),
        ),
    )


def _votes(pairs: Sequence[_Pair]) -> Counter[DecodeClock]:
    votes: Counter[DecodeClock] = Counter({"first_token": 0, "prompt_end": 0})
    votes.update(pair.clock for pair in pairs if pair.clock)
    return votes


def _decode_clock(pairs: Sequence[_Pair]) -> tuple[DecodeClock | None, str]:
    """Return when the server starts its generation clock, with the evidence."""
    (clock, most), (_, fewer) = _votes(pairs).most_common()
    if most == 0:
        return None, "the server sends no generation time, no token count, or its text in one piece"
    if most == fewer:
        return None, "generations of one token took sometimes no time, sometimes that of a token"
    agreeing = [pair for pair in pairs if pair.clock == clock]
    one_s = statistics.median(_else(pair.one.tokens.decode_s, 0.0) for pair in agreeing)
    token_s = statistics.median(_else(pair.token_s, 0.0) for pair in agreeing)
    evidence = (
        f"one token: {one_s * 1000:.3f} ms by the server's clock, "
        f"{token_s * 1000:.3f} ms per token by ours"
    )
    return clock, evidence


def _template_tokens(model: Model, asked: _Short) -> int | None:
    """Return how many tokens the chat template adds to a prompt; None if unknown."""
    prompt, bare = asked.tokens.prompt, model.count_tokens(asked.request.prompt)
    return None if isinstance(prompt, Null) or bare is None else max(0, prompt - bare)


def _else(value: float | Null, other: float) -> float:
    return other if isinstance(value, Null) else value
