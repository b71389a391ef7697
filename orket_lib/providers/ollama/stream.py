"""Ollama's requests, and the generation in a finished stream of lines.

Durations are nanoseconds. Ollama leaves numbers that are zero out of a line, so a missing number is
None here, never 0. `prompt_eval_count` is the whole prompt, including cached tokens, while
`prompt_eval_duration` is the time of the uncached ones. Only newer servers report
`prompt_eval_cached_count`; without it, the number of tokens in that time is unknown (T3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport
from orket_lib.providers.wire.counts import without_placeholders
from orket_lib.providers.wire.events import StampedReads, json_object, ndjson_lines
from orket_lib.providers.wire.http import StampedStream
from orket_lib.providers.wire.json_fields import count, seconds, section, text
from orket_lib.providers.wire.tool_calls import CallPieces, offered
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.text import well_formed

CHAT, GENERATE = "/api/chat", "/api/generate"
# Restarted by each request. Longer than any pause between two requests, and short enough that the
# model is unloaded soon if we are killed.
KEEP_ALIVE = "10m"
_NS = 1e-9
_DURATION = "_duration"
_TEXT = ("message", "response", "thinking", "context", "logprobs")


def load_options(
    n_ctx: int | None,
    threads: int | None,
    gpu_layers: int | None = None,
    batch_size: int | None = None,
) -> dict[str, Any]:
    """Return the options that a model is loaded with; every request has to repeat them."""
    options = {
        "num_ctx": n_ctx,
        "num_thread": threads,
        "num_gpu": gpu_layers,
        "num_batch": batch_size,
    }
    return {name: value for name, value in options.items() if value is not None}


def request_for(
    tag: str, request: GenerationRequest, options: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return route and body of a request.

    Args:
        tag: Of the model.
        request: The request. A speed measurement goes without the chat template: Ollama can't
            ignore an end of sequence, and models continue a bare text for longer.
        options: Of the load; with any other options Ollama reloads the model.
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
        # An overlong prompt is then an error; older servers ignore these and cut it silently.
        "truncate": False,
        "shift": False,
    }
    if request.ignore_eos:
        return GENERATE, {**body, "prompt": request.prompt, "raw": True}
    if request.thinking is not None:
        body["think"] = request.thinking
    messages = [{"role": "user", "content": request.prompt}]
    return CHAT, {**body, "messages": messages, **offered(request.tools)}


def assemble(stream: StampedStream, prompt: str = "") -> Generation:
    """Return the generation in a finished stream.

    Args:
        stream: The stamped reads of the body.
        prompt: The text that was sent, to judge the count of its tokens by.

    Raises:
        RequestFailed: The stream has an error, invalid JSON, or no end.
        ProviderError: A model on another machine answered.
    """
    said: list[str] = []
    reasoning: list[str] = []
    arrivals: list[float] = []
    sizes: list[int] = []
    calls, all_called = CallPieces(), ""
    end_s = None
    last: dict[str, Any] | None = None
    for line in ndjson_lines(stream.reads):
        try:
            chunk = json_object(line.data)
        except ValueError as error:
            if not line.whole:
                raise _cut(len(arrivals), "it ended in the middle of a line") from None
            raise RequestFailed(f"the stream is not valid JSON: {error}", Fault.NOT_JSON) from None
        if chunk.get("error"):
            raise RequestFailed(f"error in mid-stream: {chunk['error']}", Fault.ERROR_IN_STREAM)
        host = text(chunk, "remote_host") or text(chunk, "remote_model")
        if host:
            refusal = f"a cloud model answered, at {host}: nothing here was measured"
            raise ProviderError(refusal, Cause.ELSEWHERE)
        message = section(chunk, "message")
        content = text(message, "content") or text(chunk, "response") or ""
        thought = text(message, "thinking") or text(chunk, "thinking") or ""
        called = calls.add(message)
        if content or thought or called:
            arrivals.append(line.at_s - stream.written_s)
            sizes.append(len((content + thought + called).encode(errors="replace")))
            all_called += called
            said.append(content)
            reasoning.append(thought)
        if chunk.get("done") is True:
            last, end_s = chunk, line.at_s - stream.written_s
            break
    if last is None:
        raise _cut(len(arrivals), "it ended without a line that is `done`")
    answer, thoughts = "".join(said), "".join(reasoning)
    facts = {key: value for key, value in last.items() if key not in _TEXT}
    return Generation(
        text=well_formed(answer),
        reasoning=well_formed(thoughts),
        finish_reason=well_formed(text(last, "done_reason") or "") or None,
        connect_s=stream.connect_s,
        chunk_s=tuple(arrivals),
        chunk_bytes=tuple(sizes),
        end_s=end_s,
        tokens=without_placeholders(
            ollama_tokens(last), prompt, answer + thoughts + all_called, len(arrivals)
        ),
        usage={key: value for key, value in facts.items() if not key.endswith(_DURATION)},
        timings={key: value for key, value in facts.items() if key.endswith(_DURATION)},
        tool_calls=calls.calls(),
    )


def says_done(reads: StampedReads) -> bool:
    """Return whether an answer is whole by what the server said, however its body ended."""
    return any(line.whole and _is_last(line.data) for line in ndjson_lines(reads))


def _is_last(line: str) -> bool:
    try:
        return json_object(line).get("done") is True
    except ValueError:
        return False


def _cut(chunks: int, how: str) -> RequestFailed:
    return RequestFailed(f"the stream was cut after {chunks} chunks: {how}", Fault.CUT_STREAM)


def ollama_tokens(last: Mapping[str, Any]) -> TokenReport:
    """Return the counts and times in the last line of a stream."""
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
    """Return how long the server reports to have loaded the model for a request, in seconds."""
    return seconds(generation.timings or {}, "load_duration", _NS)
