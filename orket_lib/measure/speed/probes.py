"""Runs probes, each a measurement of speed; `probe_prompts` has their requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from orket_lib.artifacts.measurements.server_facts import ProbeLengths
from orket_lib.artifacts.views.run_report import FollowUp, Observation, Probe
from orket_lib.measure.quality.host_verdicts import NOT_JUDGED
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.probe_prompts import shortening
from orket_lib.measure.speed.prompt_length import TEMPLATE_ROOM
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import NO_GENERATION, Generation, GenerationRequest
from orket_lib.vocabulary import thresholds
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import decode_rate, prefill_rate
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import TokenStatus


class ProbeRequests(Protocol):
    """Makes the requests of probes: `ProbeMaker` or `FilledPrompts`."""

    @property
    def prompt_tokens(self) -> int | None:
        """About how many tokens a probe's prompt has; None if unknown."""

    @property
    def lengths(self) -> ProbeLengths:
        """The intended lengths of a probe."""

    def request(self) -> GenerationRequest:
        """Return a request whose prompt is in no cache."""


class FollowedRequests(ProbeRequests, Protocol):
    """Makes probes that are followed by a second request."""

    def follow_up(self, request: GenerationRequest) -> GenerationRequest:
        """Return the request right after a probe."""


def run_probe(opened: OpenSession, index: int) -> Probe:
    """Run a probe; a request that fails gives a probe without numbers.

    Raises:
        ServerCrashed: The server died.
    """
    probe = _probe(opened, index, opened.maker, opened.maker.request())
    return _disturbed(opened, probe)


def run_followed_probe(opened: OpenSession, index: int, requests: FollowedRequests) -> Probe:
    """Run a probe and its follow-up, which counts in no rate; see `run_probe`.

    A failed probe has no follow-up, because the state of the cache after it is unknown.
    """
    request = requests.request()
    probe = _probe(opened, index, requests, request)
    if probe.failure is not None:
        return _disturbed(opened, probe)
    follow_up = _follow_up(opened, requests.follow_up(request))
    return _disturbed(opened, probe.model_copy(update={"follow_up": follow_up}))


def _disturbed(opened: OpenSession, probe: Probe) -> Probe:
    """Return a probe with the disturbances of the server."""
    seen = (*probe.observations, *opened.disturbances())
    return probe.model_copy(update={"observations": seen})


def _follow_up(opened: OpenSession, request: GenerationRequest) -> FollowUp:
    generation, failure = NO_GENERATION, None
    try:
        generation = opened.model.generate(request)
    except (RequestTimedOut, RequestFailed) as error:
        failure = str(error)
    tokens = Tokens.of(generation, None)
    return FollowUp.of(
        ttft_ms=tokens.ttft_ms,
        prompt_tokens=tokens.prompt,
        cached_tokens=tokens.cached,
        failure=failure,
    )


def _probe(
    opened: OpenSession, index: int, requests: ProbeRequests, request: GenerationRequest
) -> Probe:
    begin_s = opened.now_s()
    generation, failure, fault = NO_GENERATION, None, None
    try:
        generation = opened.model.generate(request)
    except RequestTimedOut as error:
        failure = str(error)
    except RequestFailed as error:
        failure, fault = str(error), error.fault
    window_s = (begin_s, opened.now_s())
    tokens = Tokens.of(generation, opened.record.decode_clock)
    by_server = not isinstance(tokens.decode_tps, Null)
    client_intervals = tokens.output - 1 if not isinstance(tokens.output, Null) else tokens.output
    return Probe.of(
        index=index,
        session=opened.record.index,
        window_s=window_s,
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
            tokens.prefill_tps
            if by_server
            else prefill_rate(tokens.uncached, tokens.client_prompt_s)
        ),
        generation_tokens_per_second=(
            tokens.decode_tps
            if by_server
            else decode_rate(client_intervals, tokens.client_decode_s, tokens.output)
        ),
        rate_source="server" if by_server else "client",
        chunk_ms=tuple(round(at_s * 1000, 4) for at_s in generation.chunk_s),
        host=NOT_JUDGED,
        failure=failure,
        fault=fault,
        observations=(
            *_observations(tokens, failure, opened.record.template_tokens),
            *_truncation(generation, tokens, requests),
            *_shortened(requests.lengths),
        ),
        raw_usage=generation.usage,
        raw_timings=generation.timings,
    )


def _observations(
    tokens: Tokens, failure: str | None, template: int | None
) -> Iterator[Observation]:
    if tokens.status is not TokenStatus.OK:
        evidence = failure or tokens.gap
        yield Observation.of(Reason.MISSING_TOKEN_TIMINGS, evidence)
    if isinstance(tokens.cached, Null):
        return
    allowed = (TEMPLATE_ROOM if template is None else template) + thresholds.CACHED_TOKENS
    if tokens.cached > allowed:
        evidence = f"{tokens.cached} of {tokens.prompt} prompt tokens came from the server's cache"
        yield Observation.of(Reason.PREFIX_CACHE_HIT, evidence)


def _shortened(lengths: ProbeLengths) -> Iterator[Observation]:
    lacking = shortening(lengths)
    if lacking:
        yield Observation.of(Reason.PROBE_SHORTENED, lacking)


def _truncation(
    generation: Generation, tokens: Tokens, maker: ProbeRequests
) -> Iterator[Observation]:
    """Yield that the prompt was truncated: the server says so, or counts far too few tokens."""
    if generation.truncated:
        yield Observation.of(
            Reason.CONTEXT_TRUNCATED, "the server says that it truncated the prompt"
        )
        return
    sent = maker.prompt_tokens
    if isinstance(tokens.prompt, Null) or sent is None:
        return
    if tokens.prompt < sent * thresholds.FEWEST_PROMPT_RATIO:
        evidence = f"{tokens.prompt} prompt tokens processed of about {sent} sent"
        yield Observation.of(Reason.CONTEXT_TRUNCATED, evidence)
