"""The streamed chat format that llama.cpp, vLLM, LM Studio and others share.

Servers differ in how they report counts and times, so the caller provides the function that reads
these. The text, its arrival times and its completeness are read in the same way for all servers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport
from orket_lib.providers.wire.events import DONE, json_object, sse_events
from orket_lib.providers.wire.http import StampedStream
from orket_lib.providers.wire.json_fields import section, text
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.text import well_formed

EFFORT = "reasoning_effort"
Section = dict[str, Any] | None
ReadTokens = Callable[[Section, Section], TokenReport]


def chat_body(request: GenerationRequest) -> dict[str, Any]:
    """Return the request fields that every server of this format accepts."""
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": request.prompt}],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.seed is not None:
        body["seed"] = request.seed
    return body


def effort_of(thinking: bool) -> str:
    """Return the value of OpenAI's field for the amount of reasoning."""
    return "medium" if thinking else "none"


def template_switches(thinking: bool) -> dict[str, bool]:
    """Return the chat template's variables that switch reasoning.

    Qwen's and most other templates read the first name, Granite's and DeepSeek's the second one.
    """
    return {"enable_thinking": thinking, "thinking": thinking}


def assemble(stream: StampedStream, read_tokens: ReadTokens, times: str = "timings") -> Generation:
    """Return the generation in a finished stream, of a chat or a text completion.

    Args:
        stream: The stamped reads of the body.
        read_tokens: Converts the server's `usage` and times.
        times: Name of the object with the server's own times.

    Raises:
        RequestFailed: The stream has an error, invalid JSON, or no end.
    """
    said, reasoning, arrivals = [], [], []
    finish = usage = timings = None
    done = False
    for event in sse_events(stream.reads):
        if event.data == DONE:
            done = True
            break
        try:
            chunk = json_object(event.data)
        except ValueError as error:
            raise RequestFailed(f"the stream is not valid JSON: {error}", Fault.NOT_JSON) from None
        if chunk.get("error"):
            raise RequestFailed(f"error in mid-stream: {chunk['error']}", Fault.ERROR_IN_STREAM)
        usage = section(chunk, "usage") or usage
        timings = section(chunk, times) or timings
        for choice in _choices(chunk):
            finish = text(choice, "finish_reason") or finish
            delta = section(choice, "delta")
            content = text(delta, "content") or text(choice, "text") or ""
            thought = text(delta, "reasoning_content") or text(delta, "reasoning") or ""
            if content or thought:
                arrivals.append(event.at_s - stream.written_s)
                said.append(content)
                reasoning.append(thought)
    if not done:
        if not arrivals and (whole := _error_without_events(stream)):
            raise RequestFailed(f"an error instead of a stream: {whole}", Fault.ERROR_IN_STREAM)
        raise RequestFailed(f"the stream was cut after {len(arrivals)} chunks", Fault.CUT_STREAM)
    return Generation(
        text=well_formed("".join(said)),
        reasoning=well_formed("".join(reasoning)),
        finish_reason=well_formed(finish or "") or None,
        connect_s=stream.connect_s,
        chunk_s=tuple(arrivals),
        tokens=read_tokens(usage, timings),
        usage=usage,
        timings=timings,
    )


def _choices(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the choices of a chunk; the last chunks of some servers have none.

    Raises:
        RequestFailed: They have the wrong type.
    """
    found = chunk.get("choices") or []
    if not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        raise RequestFailed(f"the stream has invalid choices: {str(found)[:80]}", Fault.NOT_JSON)
    for choice in found:
        content = section(choice, "delta").get("content")
        if content is not None and not isinstance(content, str):
            raise RequestFailed(f"the answer is not text: {str(content)[:80]}", Fault.NOT_JSON)
    return found


def _error_without_events(stream: StampedStream) -> object:
    """Return the error in a body that should have been a stream; None if it has none."""
    body = b"".join(read for _, read in stream.reads)
    try:
        return json_object(body.decode("utf-8", errors="replace")).get("error")
    except ValueError:
        return None
