"""Probes: speed measured apart from graded work.

A probe has a nonce at the very start of its prompt, so no prefix cache can serve it (T7), at least
512 prompt tokens where the context has room, and 128 output tokens with end-of-sequence ignored, so
that every rate spans enough tokens (T19).
"""

from __future__ import annotations

import secrets

from orket_lib.artifacts.run_report import Observation, Probe
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.measure.tokens import Tokens
from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import DecodeClock, decode_rate, prefill_rate
from orket_lib.vocabulary.reasons import Reason

PROMPT_TOKENS = 512
OUTPUT_TOKENS = 128
_TEMPLATE_ROOM = 64  # tokens that a chat template may add
_SENTENCE = "the lamp stands by the door and the boat lies on the lake. "
_CACHE_TOLERANCE = 16  # tokens beyond the template's own prefix


class ProbeMaker:
    """Makes probe requests of one length for one model.

    Args:
        model: The served model; it counts the tokens.
        spec: For sampler settings and time limit.
    """

    def __init__(self, model: Model, spec: MeasurementSpec) -> None:
        context = int(model.served.n_ctx or 0)
        room = context - OUTPUT_TOKENS - _TEMPLATE_ROOM if context else PROMPT_TOKENS
        per_sentence = max(1.0, model.count_tokens(_SENTENCE * 20) / 20)
        wanted = max(1, min(PROMPT_TOKENS, room))
        self._sentences = int(wanted // per_sentence) + (1 if room > PROMPT_TOKENS else 0)
        self._spec = spec

    def request(self, output_tokens: int = OUTPUT_TOKENS) -> GenerationRequest:
        """Return a request whose prompt no cache has seen."""
        nonce = secrets.token_hex(8)
        return GenerationRequest(
            prompt=f"{nonce} {_SENTENCE * self._sentences}",
            max_tokens=output_tokens,
            temperature=self._spec.temperature,
            seed=self._spec.controls.seed,
            timeout_s=self._spec.task_timeout_sec,
            ignore_eos=True,
        )


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


def run_probe(model: Model, maker: ProbeMaker, clock: DecodeClock | None, index: int) -> Probe:
    """Run one probe and return what it measured."""
    started = utc_now()
    generation = model.generate(maker.request())
    tokens = Tokens.of(generation, clock)
    by_server = not isinstance(tokens.decode_tps, Null)
    client_intervals = tokens.output - 1 if not isinstance(tokens.output, Null) else tokens.output
    ttft_s = tokens.ttft_ms if isinstance(tokens.ttft_ms, Null) else tokens.ttft_ms / 1000
    return Probe.of(
        index=index,
        started_at=started,
        prompt_tokens=tokens.prompt,
        cached_tokens=tokens.cached,
        output_tokens=tokens.output,
        connect_ms=(
            Null("NOT_OBSERVED") if generation.connect_s is None else generation.connect_s * 1000
        ),
        ttft_ms=tokens.ttft_ms,
        prefill_seconds=tokens.prefill_s,
        decode_seconds=tokens.decode_s,
        decode_intervals=tokens.intervals,
        client_decode_seconds=tokens.client_decode_s,
        internal_model_seconds=tokens.internal_s,
        prompt_tokens_per_second=(
            tokens.prefill_tps if by_server else prefill_rate(tokens.uncached, ttft_s)
        ),
        generation_tokens_per_second=(
            tokens.decode_tps
            if by_server
            else decode_rate(client_intervals, tokens.client_decode_s, tokens.output)
        ),
        rate_source="server" if by_server else "client",
        chunk_ms=tuple(round(at_s * 1000, 4) for at_s in generation.chunk_s),
        observations=_cache_hits(tokens),
        raw_usage=generation.usage,
        raw_timings=generation.timings,
    )


def _cache_hits(tokens: Tokens) -> tuple[Observation, ...]:
    if isinstance(tokens.cached, Null) or tokens.cached <= _TEMPLATE_ROOM + _CACHE_TOLERANCE:
        return ()
    evidence = f"{tokens.cached} of {tokens.prompt} prompt tokens came from the server's cache"
    return (Observation.of(Reason.PREFIX_CACHE_HIT, evidence),)
