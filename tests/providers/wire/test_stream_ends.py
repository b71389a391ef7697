"""When an answer is whole: what HTTP and `finish_reason` say, and not whether `[DONE]` came."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import httpx
import pytest

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.lmstudio.client import ROUTES, LmStudioClient
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.openai.client import EXTRAS, OpenAiClient
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut

REQUEST = GenerationRequest("What number is 40 + 2?", 16, 0.0, seed=7, timeout_s=30.0)
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
SSE = {"Content-Type": "text/event-stream"}

Read = bytes | Exception
Ask = Callable[[httpx.BaseTransport], Generation]


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """Return the JSON of a chunk."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"choices": choices, **more}).encode()


PIECES = (event({"content": "4"}), event({"content": "2"}))
IN_PARTS = event({"content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]})
FINISH, LAST = event({}, "stop"), event(usage=USAGE)
DONE = b"[DONE]"
WHOLE = (*PIECES, FINISH, LAST)


def sse(*data: bytes, nl: bytes = b"\n", tail: bytes | None = None) -> bytes:
    """Return events; `tail` is what the last one ends with."""
    parts = [b"data: " + each + nl * 2 for each in data]
    if tail is not None:
        parts[-1] = parts[-1].rstrip() + tail
    return b"".join(parts)


def llama(transport: httpx.BaseTransport) -> Generation:
    with closing(LlamaClient("http://127.0.0.1:1", None, transport)) as client:
        return client.stream_chat(REQUEST)


def openai(transport: httpx.BaseTransport) -> Generation:
    with closing(OpenAiClient("http://127.0.0.1:1", None, transport)) as client:
        return client.stream_chat("m", REQUEST, EXTRAS)


def lmstudio(transport: httpx.BaseTransport) -> Generation:
    with closing(LmStudioClient("http://127.0.0.1:1", None, transport)) as client:
        return client.stream(ROUTES[0], "m", REQUEST)


def ollama(transport: httpx.BaseTransport) -> Generation:
    with closing(OllamaClient("http://127.0.0.1:1", None, transport)) as client:
        return client.stream("m", REQUEST, {})


def answered(
    ask: Ask, reads: Sequence[Read], headers: Mapping[str, str] = SSE, status: int = 200
) -> Generation:
    """Return what a client makes of a body; an exception is how the connection ends."""

    def body() -> Iterator[bytes]:
        for read in reads:
            if isinstance(read, Exception):
                raise read
            yield read

    return ask(
        httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=body()))
    )


LOST = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
SILENT = httpx.ReadTimeout("read")
MESSAGE = {"role": "assistant", "content": "42"}
AS_A_WHOLE = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": USAGE,
}

ENDED: dict[str, tuple[Sequence[Read], Mapping[str, str]]] = {
    "[DONE] and a blank line": ([sse(*WHOLE, DONE)], SSE),
    "no [DONE]": ([sse(*WHOLE)], SSE),
    "no [DONE] and no blank line": ([sse(*WHOLE, tail=b"\n")], SSE),
    "no [DONE] and no line end": ([sse(*WHOLE, tail=b"")], SSE),
    "[DONE] and one line end": ([sse(*WHOLE, DONE, tail=b"\n")], SSE),
    "[DONE] and no line end": ([sse(*WHOLE, DONE, tail=b"")], SSE),
    "[DONE] and a blank": ([sse(*WHOLE, DONE + b" ")], SSE),
    "CRLF": ([sse(*WHOLE, DONE, nl=b"\r\n")], SSE),
    "CR": ([sse(*WHOLE, DONE, nl=b"\r")], SSE),
    "text in parts": ([sse(event({"content": []}), IN_PARTS, FINISH, LAST, DONE)], SSE),
    "the finish in the last piece": ([sse(PIECES[0], event({"content": "2"}, "stop"), LAST)], SSE),
    "the counts before the finish": ([sse(*PIECES, LAST, FINISH)], SSE),
    "the counts in the finish": ([sse(*PIECES, event({}, "stop", usage=USAGE))], SSE),
    "something after [DONE]": ([sse(*WHOLE, DONE, event(cost=1)), b": bye\n\n"], SSE),
    "[DONE] without a finish": ([sse(*PIECES, LAST, DONE)], SSE),
    "the connection is lost after [DONE]": ([sse(*WHOLE, DONE), LOST], SSE),
    "silence after [DONE]": ([sse(*WHOLE, DONE), SILENT], SSE),
    "gzip": ([gzip.compress(sse(*WHOLE, DONE))], SSE | {"Content-Encoding": "gzip"}),
    "deflate": ([zlib.compress(sse(*WHOLE, DONE))], SSE | {"Content-Encoding": "deflate"}),
    "no content type": ([sse(*WHOLE, DONE)], {}),
    "a whole message after the pieces": (
        [sse(*PIECES, json.dumps({**AS_A_WHOLE, "usage": USAGE}).encode(), DONE)],
        SSE,
    ),
    "an answer as a whole": (
        [json.dumps(AS_A_WHOLE, indent=1).encode()],
        {"Content-Type": "application/json"},
    ),
}


@pytest.mark.parametrize("ask", [llama, openai, lmstudio])
@pytest.mark.parametrize("name", ENDED)
def test_an_answer_that_ended_is_whole(name: str, ask: Ask) -> None:
    reads, headers = ENDED[name]
    found = answered(ask, reads, headers)
    assert (found.text, found.usage) == ("42", USAGE)
    assert found.finish_reason == (None if "without a finish" in name else "stop")
    assert (found.tokens.prompt, found.tokens.output) == (9, 2)
    assert found.streamed is (name != "an answer as a whole")


CUT, RESET = Fault.CUT_STREAM, Fault.RESET
TORN: dict[str, tuple[Sequence[Read], Mapping[str, str], Fault, str]] = {
    "no finish and no [DONE]": (
        [sse(*PIECES, LAST)],
        SSE,
        CUT,
        "cut after 2 chunks: it ended without a finish_reason and without [DONE]",
    ),
    "half an event": (
        [sse(*PIECES), b'data: {"choi'],
        SSE,
        CUT,
        "cut after 2 chunks: it ended in the middle of an event",
    ),
    "nothing": ([], SSE, CUT, "cut after 0 chunks: there is nothing in it"),
    "comments only": ([b": ping\n\n"], SSE, CUT, "cut after 0 chunks: there is no event in it"),
    "a lost connection after the finish": ([sse(*WHOLE), LOST], SSE, RESET, "peer closed"),
    "a lost connection": ([sse(*PIECES), LOST], SSE, RESET, "peer closed"),
    "plain text": (
        [b"Internal Server Error"],
        {"Content-Type": "text/plain"},
        Fault.NOT_JSON,
        "the server answered without streaming, and with no answer (text/plain): Internal Server",
    ),
    "an object that is no answer": (
        [b'{"detail": "queued"}'],
        {"Content-Type": "application/json"},
        Fault.NOT_JSON,
        'no answer (application/json): {"detail": "queued"}',
    ),
    "an error as a whole": (
        [b'{"error": {"message": "overloaded"}}'],
        {"Content-Type": "application/json"},
        Fault.ERROR_IN_STREAM,
        "an error instead of a stream: {'message': 'overloaded'}",
    ),
    "an event of type error": (
        [sse(*PIECES), b'event: error\ndata: {"message": "boom"}\n\n', sse(FINISH, DONE)],
        SSE,
        Fault.ERROR_IN_STREAM,
        "boom",
    ),
    "a line of its own for an error": (
        [sse(*PIECES), b"error: boom\n\n", sse(FINISH, DONE)],
        SSE,
        Fault.ERROR_IN_STREAM,
        "error in mid-stream: boom",
    ),
    "another compression": (
        [sse(*WHOLE, DONE)],
        SSE | {"Content-Encoding": "zstd-of-ours"},
        Fault.NOT_JSON,
        "compressed (zstd-of-ours)",
    ),
    "what says to be compressed": (
        [sse(*WHOLE, DONE)],
        SSE | {"Content-Encoding": "gzip"},
        Fault.NOT_JSON,
        "the answer is not the gzip that it says",
    ),
    "far too much in little": (
        [gzip.compress(b": " + b"a" * 50_000_000)],
        SSE | {"Content-Encoding": "gzip"},
        Fault.ENDLESS,
        "no end of the answer",
    ),
}


@pytest.mark.parametrize("ask", [llama, openai, lmstudio])
@pytest.mark.parametrize("name", TORN)
def test_what_is_no_whole_answer_says_what_was_missing(name: str, ask: Ask) -> None:
    reads, headers, fault, words = TORN[name]
    with pytest.raises(RequestFailed) as caught:
        answered(ask, reads, headers)
    assert caught.value.fault is fault
    assert words in str(caught.value)


@pytest.mark.parametrize("ask", [llama, openai, lmstudio])
def test_silence_before_the_end_is_a_timeout(ask: Ask) -> None:
    with pytest.raises(RequestTimedOut):
        answered(ask, [sse(*PIECES, FINISH), SILENT])


# Ollama's lines


def line(**more: Any) -> bytes:
    return json.dumps({"model": "m", **more}).encode()


SAID = [line(message={"role": "assistant", "content": each}, done=False) for each in "42"]
END = line(message={}, done=True, done_reason="stop", prompt_eval_count=9, eval_count=2)


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([b"\n".join([*SAID, END, b""])], id="lines"),
        pytest.param([b"\n".join([*SAID, END])], id="no last line end"),
        pytest.param([b"\r\n\r\n".join([*SAID, END, b""])], id="CRLF and empty lines"),
        pytest.param([b"\n".join([*SAID, END, b""]), LOST], id="lost after the end"),
        pytest.param([b"\n".join([*SAID, END, b""]), SILENT], id="silent after the end"),
    ],
)
def test_lines_that_ended_are_whole(reads: Sequence[Read]) -> None:
    found = answered(ollama, reads, {})
    assert (found.text, found.tokens.output, found.end_s is not None) == ("42", 2, True)


@pytest.mark.parametrize(
    ("reads", "fault", "words"),
    [
        pytest.param([b"\n".join([*SAID, b""])], CUT, "without a line that is `done`", id="no end"),
        pytest.param([b"\n".join([*SAID, b""]), LOST], RESET, "peer closed", id="lost"),
        pytest.param([b"\n".join([*SAID, END[:-4]])], CUT, "in the middle of a line", id="half"),
    ],
)
def test_lines_that_did_not_end_are_a_fault(
    reads: Sequence[Read], fault: Fault, words: str
) -> None:
    with pytest.raises(RequestFailed, match=words) as caught:
        answered(ollama, reads, {})
    assert caught.value.fault is fault
