"""Calls of tools in streams, as each kind of server sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orket_lib.artifacts.measurements.tool_calls import ToolCall, calls_text, with_calls
from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress, TokenReport
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.ollama import stream as ollama
from orket_lib.providers.openai.client import chat_request
from orket_lib.providers.wire.api_key import ApiKey
from orket_lib.providers.wire.chat_stream import assemble, chat_body
from orket_lib.providers.wire.http import StampedStream
from orket_lib.vocabulary.errors import Fault, RequestFailed

TOOL = {
    "name": "create_order",
    "description": "Create the order.",
    "parameters": {"type": "object", "properties": {"town": {"type": "string"}}},
}
ASKED = GenerationRequest("Order.", 64, 0.0, seed=7, timeout_s=5.0, tools=(TOOL,))
ON_THE_WIRE = [{"type": "function", "function": TOOL}]

Calls = list[tuple[str, str]]
ORDER: Calls = [("create_order", '{"town": "Paris", "count": 3}')]
TWO: Calls = [("create_order", '{"town": "Paris"}'), ("find_order", "{}")]


def piece(index: int | None, arguments: Any, name: str = "", **more: Any) -> dict[str, Any]:
    """Return one entry of `tool_calls`."""
    place: dict[str, Any] = {} if index is None else {"index": index}
    named = {"name": name} if name else {}
    return {**place, **more, "function": {**named, "arguments": arguments}}


def first(index: int | None, arguments: Any, name: str, id_: str = "c0") -> dict[str, Any]:
    return piece(index, arguments, name, id=id_, type="function")


def events(*deltas: dict[str, Any], key: str = "delta", end: str = "tool_calls") -> StampedStream:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, key: delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"choices": [{"index": 0, key: {}, "finish_reason": end}]})
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    reads = [(1.0 + at, line) for at, line in enumerate([*lines, b"data: [DONE]\n\n"])]
    return StampedStream(reads, written_s=0.0, connect_s=None)


def read(*deltas: dict[str, Any], **more: Any) -> Generation:
    return assemble(events(*deltas, **more), llama_tokens)


def of(*pieces: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": list(pieces)}


# As recorded from llama-server, build 11549, with SmolLM2-135M-Instruct and `--jinja`.
LLAMA = (
    {"role": "assistant", "content": None},
    of(first(0, "{", "create_order", "Grj9OJVjG5ubNMXjy0LGu2CnHKBWnkmH")),
    *(
        of(piece(0, text))
        for text in ('"', "town", '":', ' "', "Paris", '",', ' "', "count", '":', " 3", "}")
    ),
)
STREAMS: dict[str, tuple[tuple[dict[str, Any], ...], Calls]] = {
    "llama-server": (LLAMA, ORDER),
    "LM Studio": (
        (
            {"role": "assistant", **of(first(0, "", "create_order", "814890118"))},
            *(of(piece(0, text)) for text in ('{"town": "Par', 'is", "count', '": 3}')),
        ),
        ORDER,
    ),
    "vLLM: the name without arguments, and nulls": (
        (
            of(first(0, None, "create_order", "chatcmpl-tool-1")),
            *(
                of(piece(0, text, id=None, type=None))
                for text in (ORDER[0][1][:9], ORDER[0][1][9:])
            ),
        ),
        ORDER,
    ),
    "all at once, in one chunk": ((of(first(0, ORDER[0][1], "create_order")),), ORDER),
    "text before the call": (({"content": "I order."}, *LLAMA[1:]), ORDER),
    "reasoning before the call": (({"reasoning_content": "Hm."}, *LLAMA[1:]), ORDER),
    "two calls by turns": (
        (
            of(first(0, "", "create_order"), first(1, "", "find_order", "c1")),
            of(piece(1, "{")),
            of(piece(0, '{"town": "Par')),
            of(piece(1, "}"), piece(0, 'is"}')),
        ),
        TWO,
    ),
    "an index with gaps, the later call first": (
        (of(first(7, "{}", "find_order", "c7")), of(first(2, TWO[0][1], "create_order", "c2"))),
        TWO,
    ),
    "every call under index 0": (
        (of(first(0, TWO[0][1], "create_order")), of(first(0, "{}", "find_order", "c1"))),
        TWO,
    ),
    "ids and no index": (
        (
            of(first(None, '{"town": ', "create_order")),
            of(piece(None, '"Paris"}', id="c0")),
            of(first(None, "{}", "find_order", "c1")),
        ),
        TWO,
    ),
    "neither index nor id": (
        (
            of(piece(None, '{"town": ', "create_order")),
            of(piece(None, '"Paris"}')),
            of(piece(None, "{}", "find_order")),
        ),
        TWO,
    ),
    "the name with every piece": (
        (
            of(first(0, '{"town": "Paris", ', "create_order")),
            of(first(0, '"count": 3}', "create_order")),
        ),
        ORDER,
    ),
    "a name in pieces": (
        (of(first(0, "", "create_")), of(piece(0, ORDER[0][1], "order"))),
        ORDER,
    ),
    "arguments as an object": (
        (of(first(0, {"town": "Paris", "count": 3}, "create_order")),),
        ORDER,
    ),
    "no arguments": ((of(first(0, "", "find_order")),), [("find_order", "")]),
    "broken arguments": (
        (of(first(0, '{"town": ', "create_order")),),
        [("create_order", '{"town": ')],
    ),
    "no calls": (({"content": "No.", "tool_calls": []}, {"tool_calls": None}), []),
}


def named(calls: tuple[ToolCall, ...]) -> Calls:
    return [(call.name, call.arguments) for call in calls]


@pytest.mark.parametrize("kind", STREAMS)
def test_a_call_is_put_together_as_the_server_meant_it(kind: str) -> None:
    deltas, calls = STREAMS[kind]
    found = read(*deltas)
    assert named(found.tool_calls) == calls
    assert found.text == "".join(delta.get("content") or "" for delta in deltas)


def test_pieces_of_a_call_are_chunks_of_the_answer() -> None:
    found = read(*LLAMA)
    assert found.chunk_s == tuple(2.0 + at for at in range(12))  # not the role, which comes first
    assert found.chunk_bytes == (13, 1, 4, 2, 2, 5, 2, 2, 5, 2, 2, 1)
    assert found.finish_reason == "tool_calls"


def test_a_call_has_tokens_even_where_the_text_is_empty() -> None:
    stream = events(*LLAMA)
    usage = {"prompt_tokens": 1, "completion_tokens": 24}
    stream.reads.insert(-1, (20.0, b"data: " + json.dumps({"usage": usage}).encode() + b"\n\n"))
    assert assemble(stream, llama_tokens).tokens.output == 24


def test_an_answer_that_is_not_streamed_has_its_calls_as_a_whole() -> None:
    message = {"content": None, **of(first(None, "{}", "a", "x"), first(None, "{}", "b", "y"))}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    stream = StampedStream([(1.0, json.dumps(body).encode())], written_s=0.0, connect_s=None)
    assert named(assemble(stream, llama_tokens).tool_calls) == [("a", "{}"), ("b", "{}")]


@pytest.mark.parametrize("calls", ["create_order", {"name": "x"}, [1], [piece(0, 3)]])
def test_what_is_no_call_is_not_the_protocol(calls: Any) -> None:
    with pytest.raises(RequestFailed, match="invalid tool calls") as raised:
        read({"tool_calls": calls})
    assert raised.value.fault is Fault.NOT_JSON


def ollama_stream(*messages: dict[str, Any]) -> StampedStream:
    lines: list[dict[str, Any]] = [{"message": it, "done": False} for it in messages]
    lines.append({"message": {"role": "assistant", "content": ""}, "done": True, "eval_count": 20})
    reads = [(1.0 + at, json.dumps(line).encode() + b"\n") for at, line in enumerate(lines)]
    return StampedStream(reads, written_s=0.0, connect_s=None)


def ollama_call(name: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments, **more}}


@pytest.mark.parametrize(
    "messages",
    [
        [
            of(ollama_call(*call))
            for call in (("create_order", {"town": "Paris"}), ("find_order", {}))
        ],
        [of(ollama_call("create_order", {"town": "Paris"}), ollama_call("find_order", {}))],
        [
            of({"id": "call_x", **ollama_call("create_order", {"town": "Paris"}, index=0)}),
            of({"id": "call_y", **ollama_call("find_order", {}, index=1)}),
        ],
    ],
)
def test_calls_of_ollama_come_whole_and_their_arguments_are_an_object(messages: Any) -> None:
    found = ollama.assemble(ollama_stream({"content": "Well."}, *messages))
    assert named(found.tool_calls) == TWO
    assert (found.text, len(found.chunk_s)) == ("Well.", 1 + len(messages))
    assert found.tokens.output == 20


# Requests


def test_every_server_is_offered_the_same_functions() -> None:
    assert chat_body(ASKED)["tools"] == ON_THE_WIRE
    assert chat_request("m", ASKED, (), "salt")["tools"] == ON_THE_WIRE
    route, body = ollama.request_for("m", ASKED, {})
    assert (route, body["tools"]) == ("/api/chat", ON_THE_WIRE)


def test_a_request_without_tools_has_no_such_field() -> None:
    plain = GenerationRequest("Order.", 64, 0.0, seed=7, timeout_s=5.0)
    assert "tools" not in chat_body(plain)
    assert "tools" not in ollama.request_for("m", plain, {})[1]


def test_lm_studio_is_asked_on_openais_route(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def generation(path: str, *_: Any) -> Generation:
        asked.append(path)
        return Generation("", "", None, None, (), TokenReport())

    client = LmStudioClient(ServerAddress("http://127.0.0.1:9").base_url)
    monkeypatch.setattr(client._server, "generation", lambda path, *more: generation(path, *more))
    client.stream("/api/v0", "m", ASKED)
    assert asked == ["/v1/chat/completions"]


# What is kept


def test_calls_as_text() -> None:
    order, find = (
        ToolCall(name="create_order", arguments='{"town": "Paris"}'),
        ToolCall(name="find_order", arguments=" "),
    )
    assert calls_text([order]) == '{"name": "create_order", "arguments": {"town": "Paris"}}'
    assert json.loads(calls_text([order, find]))[1] == {"name": "find_order", "arguments": {}}
    assert with_calls(" Well. ", [order]) == f"Well.\n{order.text}"
    assert with_calls("", [order]) == order.text
    assert with_calls(" Well. ", ()) == " Well. "


def test_a_repeated_key_is_hidden_in_calls_too() -> None:
    found = read(of(first(0, '{"key": "secret-123456"}', "send")))
    hidden = ApiKey("secret-123456").hidden(found)
    assert "secret" not in hidden.tool_calls[0].arguments
