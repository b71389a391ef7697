"""The streamed chat format that llama.cpp, vLLM, LM Studio and others share.

Servers differ in how they report counts and times, so the caller provides the function that reads
these. The text, its arrival times and its completeness are read in the same way for all servers.

An answer is whole if the server says so: by `[DONE]`, or by a `finish_reason` in a body that HTTP
ended properly. Servers leave out either. One that doesn't stream sends its answer as one object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport
from orket_lib.providers.wire.counts import without_placeholders
from orket_lib.providers.wire.events import DONE, ERROR, StampedReads, json_object, sse_events
from orket_lib.providers.wire.http import HttpServer, StampedStream
from orket_lib.providers.wire.json_fields import section, text
from orket_lib.providers.wire.tool_calls import CallPieces, offered
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.text import well_formed

EFFORT = "reasoning_effort"
LLAMA_BUDGET = "thinking_budget_tokens"
Section = dict[str, Any] | None
ReadTokens = Callable[[Section, Section], TokenReport]
_SHOWN = 120  # characters of an answer that is none


def chat_body(request: GenerationRequest) -> dict[str, Any]:
    """Return the request fields that every server of this format accepts."""
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": request.prompt}],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        **offered(request.tools),
    }
    if request.seed is not None:
        body["seed"] = request.seed
    return body


@dataclass
class _Reading:
    """What was read of an answer so far; times are seconds since the request was written."""

    said: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    chunk_s: list[float] = field(default_factory=list)
    chunk_bytes: list[int] = field(default_factory=list)
    calls: CallPieces = field(default_factory=CallPieces)
    called: str = ""
    finish: str | None = None
    end_s: float | None = None
    usage: Section = None
    times: Section = None

    def add(self, chunk: dict[str, Any], at_s: float, times: str) -> None:
        """Read one object of a stream, or the object that is the whole answer."""
        self.usage = section(chunk, "usage") or self.usage
        self.times = section(chunk, times) or self.times
        for choice in _choices(chunk):
            if finish := text(choice, "finish_reason"):
                self.finish, self.end_s = finish, at_s
            # A server that doesn't stream sends a message; some send one after the pieces, too.
            delta = section(choice, "delta") or ({} if self.chunk_s else section(choice, "message"))
            content = text(delta, "content") or text(choice, "text") or ""
            thought = text(delta, "reasoning_content") or text(delta, "reasoning") or ""
            called = self.calls.add(delta)
            if content or thought or called:
                self.chunk_s.append(at_s)
                self.chunk_bytes.append(len((content + thought + called).encode(errors="replace")))
                self.called += called
                self.said.append(content)
                self.reasoning.append(thought)


def effort_of(thinking: bool) -> str:
    """Return the value of OpenAI's field for the amount of reasoning."""
    return "medium" if thinking else "none"


def template_switches(thinking: bool) -> dict[str, bool]:
    """Return the chat template's variables that switch reasoning.

    Qwen's and most other templates read the first name, Granite's and DeepSeek's the second one.
    """
    return {"enable_thinking": thinking, "thinking": thinking}


def streamed_answer(
    server: HttpServer,
    path: str,
    body: dict[str, Any],
    request: GenerationRequest,
    read_tokens: ReadTokens,
    times: str = "timings",
) -> Generation:
    """Post a request and return its answer; see `HttpServer.generation` and `assemble`."""
    return server.generation(
        path,
        body,
        request,
        lambda stream: assemble(stream, read_tokens, times, request.prompt),
        says_done,
    )


def assemble(
    stream: StampedStream, read_tokens: ReadTokens, times: str = "timings", prompt: str = ""
) -> Generation:
    """Return the generation in a finished stream, of a chat or a text completion.

    Args:
        stream: The stamped reads of the body.
        read_tokens: Converts the server's `usage` and times.
        times: Name of the object with the server's own times.
        prompt: The text that was sent, to judge the count of its tokens by.

    Raises:
        RequestFailed: The stream has an error, invalid JSON, or no end; or there is no answer.
    """
    reading = _Reading()
    done, events = False, 0
    for event in sse_events(stream.reads):
        events += 1
        if event.data.strip() == DONE:
            done = True
            break
        try:
            chunk = json_object(event.data)
        except ValueError as error:
            if event.name == ERROR:
                message = f"error in mid-stream: {event.data[:_SHOWN]}"
                raise RequestFailed(message, Fault.ERROR_IN_STREAM) from None
            if not event.whole:
                raise _cut(reading, "it ended in the middle of an event") from None
            raise RequestFailed(f"the stream is not valid JSON: {error}", Fault.NOT_JSON) from None
        if chunk.get("error") or event.name == ERROR:
            said = chunk.get("error") or chunk
            raise RequestFailed(f"error in mid-stream: {said}", Fault.ERROR_IN_STREAM)
        reading.add(chunk, event.at_s - stream.written_s, times)
    if not events:
        reading.add(_whole_answer(stream), stream.reads[-1][0] - stream.written_s, times)
    elif not done and reading.finish is None:
        raise _cut(reading, f"it ended without a finish_reason and without {DONE}")
    answer, thought = "".join(reading.said), "".join(reading.reasoning)
    return Generation(
        text=well_formed(answer),
        reasoning=well_formed(thought),
        finish_reason=well_formed(reading.finish or "") or None,
        connect_s=stream.connect_s,
        chunk_s=tuple(reading.chunk_s),
        chunk_bytes=tuple(reading.chunk_bytes),
        end_s=reading.end_s,
        streamed=bool(events),
        tokens=without_placeholders(
            read_tokens(reading.usage, reading.times),
            prompt,
            answer + thought + reading.called,
            len(reading.chunk_s),
        ),
        usage=reading.usage,
        timings=reading.times,
        tool_calls=reading.calls.calls(),
    )


def says_done(reads: StampedReads) -> bool:
    """Return whether an answer is whole by what the server said, however its body ended."""
    return any(event.data.strip() == DONE for event in sse_events(reads))


def _cut(reading: _Reading, how: str) -> RequestFailed:
    message = f"the stream was cut after {len(reading.chunk_s)} chunks: {how}"
    return RequestFailed(message, Fault.CUT_STREAM)


def _choices(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the choices of a chunk; the last chunks of some servers have none.

    Raises:
        RequestFailed: They have the wrong type.
    """
    found = chunk.get("choices") or []
    if not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        raise RequestFailed(f"the stream has invalid choices: {str(found)[:80]}", Fault.NOT_JSON)
    for choice in found:
        for part in ("delta", "message"):
            said = section(choice, part)
            content = _joined(said.get("content"))
            if content is not None and not isinstance(content, str):
                message = f"the answer is not text: {str(content)[:80]}"
                raise RequestFailed(message, Fault.NOT_JSON)
            if content is not None:
                said["content"] = content
    return found


def _joined(content: object) -> object:
    """Return the text of a list of parts that are all text; anything else as it is."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    known = [one for one in texts if isinstance(one, str)]
    return "".join(known) if len(known) == len(content) else content


def _whole_answer(stream: StampedStream) -> dict[str, Any]:
    """Return the answer of a server that doesn't stream: one JSON object.

    Raises:
        RequestFailed: The body is empty, an error, or no answer.
    """
    body = b"".join(read for _, read in stream.reads).decode("utf-8", errors="replace").strip()
    if not body:
        raise _cut(_Reading(), "there is nothing in it")
    try:
        found = json_object(body)
    except ValueError:
        found = {}
    if found.get("error"):
        message = f"an error instead of a stream: {found['error']}"
        raise RequestFailed(message, Fault.ERROR_IN_STREAM)
    if not found.get("choices"):
        kind = stream.content_type or "no content type"
        if not found and kind.startswith("text/event-stream"):  # comments only
            raise _cut(_Reading(), "there is no event in it")
        raise RequestFailed(
            f"the server answered without streaming, and with no answer ({kind}): {body[:_SHOWN]}",
            Fault.NOT_JSON,
        )
    return found
