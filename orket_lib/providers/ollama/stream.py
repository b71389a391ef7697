"""Ollama's streams: what a request says, and what a finished stream of lines holds.

Durations are nanoseconds, and a number that is zero is left out of a line: what is not there is
None here, never 0. `prompt_eval_count` is the whole prompt, of which the cache may have served any
part, while `prompt_eval_duration` is the time of the rest. Only newer servers tell the two apart:
without `prompt_eval_cached_count` nobody knows how many tokens that time is for (T3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport
from orket_lib.providers.wire.http import StampedStream
from orket_lib.providers.wire.json_fields import count, seconds, section, text
from orket_lib.providers.wire.ndjson import lines
from orket_lib.providers.wire.sse import json_object
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.text import well_formed

CHAT, GENERATE = "/api/chat", "/api/generate"
# Each request starts it anew. It is longer than anything between two of ours, and if we are killed
# the model is gone by itself before long.
KEEP_ALIVE = "10m"
_NS = 1e-9
_DURATION = "_duration"
_TEXT = ("message", "response", "thinking", "context", "logprobs")


def load_options(n_ctx: int | None, threads: int | None) -> dict[str, Any]:
    """Return the options that decide how a model is loaded: every request has to repeat them."""
    options = {"num_ctx": n_ctx, "num_thread": threads}
    return {name: value for name, value in options.items() if value is not None}


def request_for(
    tag: str, request: GenerationRequest, options: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return route and body of a request.

    Args:
        tag: Of the model.
        request: What is asked. A speed measurement goes without the chat template, because Ollama
            can't ignore an end of sequence: a bare text is gone on with for longer.
        options: That the model was loaded with; with any other ones Ollama loads it again.
    """
    sampling: dict[str, Any] = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.seed is not None:
        sampling["seed"] = request.seed
    body: dict[str, Any] = {
        "model": tag,
        "stream": True,
        "keep_alive": KEEP_ALIVE,
        "options": {**options, **sampling},
        # A prompt that doesn't fit is then an error; servers that don't know these cut it silently.
        "truncate": False,
        "shift": False,
    }
    if request.ignore_eos:
        return GENERATE, {**body, "prompt": request.prompt, "raw": True}
    return CHAT, {**body, "messages": [{"role": "user", "content": request.prompt}]}


def assemble(stream: StampedStream) -> Generation:
    """Return the generation that a finished stream holds.

    Raises:
        RequestFailed: The stream holds an error, no JSON, or no end.
        ProviderError: A model on another machine answered.
    """
    said, reasoning, arrivals = [], [], []
    last: dict[str, Any] | None = None
    for line in lines(stream.reads):
        try:
            chunk = json_object(line.data)
        except ValueError as error:
            raise RequestFailed(f"the stream holds no JSON: {error}", Fault.NOT_JSON) from None
        if chunk.get("error"):
            raise RequestFailed(f"error in mid-stream: {chunk['error']}", Fault.ERROR_IN_STREAM)
        host = text(chunk, "remote_host") or text(chunk, "remote_model")
        if host:
            told = f"a cloud model answered, at {host}: nothing here was measured"
            raise ProviderError(told, Cause.ELSEWHERE)
        message = section(chunk, "message")
        content = text(message, "content") or text(chunk, "response") or ""
        thought = text(message, "thinking") or text(chunk, "thinking") or ""
        if content or thought:
            arrivals.append(line.at_s - stream.written_s)
            said.append(content)
            reasoning.append(thought)
        if chunk.get("done") is True:
            last = chunk
            break
    if last is None:
        raise RequestFailed(f"the stream was cut after {len(arrivals)} chunks", Fault.CUT_STREAM)
    facts = {key: value for key, value in last.items() if key not in _TEXT}
    return Generation(
        text=well_formed("".join(said)),
        reasoning=well_formed("".join(reasoning)),
        finish_reason=well_formed(text(last, "done_reason") or "") or None,
        connect_s=stream.connect_s,
        chunk_s=tuple(arrivals),
        tokens=ollama_tokens(last),
        usage={key: value for key, value in facts.items() if not key.endswith(_DURATION)},
        timings={key: value for key, value in facts.items() if key.endswith(_DURATION)},
    )


def ollama_tokens(last: Mapping[str, Any]) -> TokenReport:
    """Return what the last line of a stream says of tokens and times."""
    prompt, cached = count(last, "prompt_eval_count"), count(last, "prompt_eval_cached_count")
    uncached = None
    if prompt is not None and cached is not None and cached <= prompt:
        uncached = prompt - cached
    return TokenReport(
        prompt=prompt,
        cached=cached,
        uncached=uncached,
        output=count(last, "eval_count"),
        prefill_s=seconds(last, "prompt_eval_duration", _NS),
        decode_s=seconds(last, "eval_duration", _NS),
    )


def load_s(generation: Generation) -> float | None:
    """Return how long the server says it loaded the model for a request, in seconds."""
    return seconds(generation.timings or {}, "load_duration", _NS)
