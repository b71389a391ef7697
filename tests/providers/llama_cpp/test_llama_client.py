"""The client against the bytes that llama.cpp's server sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.wire import http
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, RequestTimedOut

USAGE = {
    "completion_tokens": 5,
    "prompt_tokens": 18,
    "total_tokens": 23,
    "prompt_tokens_details": {"cached_tokens": 0},
}
TIMINGS = {
    "cache_n": 0,
    "prompt_n": 18,
    "prompt_ms": 2.985,
    "prompt_per_second": 6030.15,
    "predicted_n": 5,
    "predicted_ms": 2.239,
    "predicted_per_second": 2233.1,
}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """Return one event as the server writes it."""
    choices = [] if delta is None else [{"finish_reason": finish, "index": 0, "delta": delta}]
    body = {
        "choices": choices,
        "created": 1,
        "id": "chatcmpl-x",
        "model": "nano",
        "object": "chat.completion.chunk",
    }
    return f"data: {json.dumps(body | more, ensure_ascii=False)}\n\n".encode()


ROLE = chunk({"role": "assistant", "content": None})
END = chunk({}, "stop")
LAST = chunk(usage=USAGE, timings=TIMINGS)
DONE = b"data: [DONE]\n\n"
WHOLE = (ROLE, chunk({"content": "2 "}), chunk({"content": "9 76"}), END, LAST, DONE)


class FakeClock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr(http, "time", SimpleNamespace(perf_counter=fake))
    return fake


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "Sort 9 2 76",
        "max_tokens": 16,
        "temperature": 0.0,
        "seed": 7,
        "timeout_s": 30.0,
    }
    return GenerationRequest(**(values | changes))


def client(handler: Callable[[httpx.Request], httpx.Response]) -> LlamaClient:
    return LlamaClient("http://127.0.0.1:1", "key", httpx.MockTransport(handler))


def stream(
    reads: Sequence[bytes | Exception | float],
    clock: FakeClock | None = None,
    asked: GenerationRequest | None = None,
) -> Generation:
    """Return the generation of a stream: bytes arrive, numbers pass as seconds, errors happen."""

    def body() -> Iterator[bytes]:
        for read in reads:
            if isinstance(read, Exception):
                raise read
            if isinstance(read, bytes):
                yield read
            elif clock:
                clock.now += read
            else:
                time.sleep(read)

    found = client(lambda _: httpx.Response(200, content=body()))
    try:
        return found.stream_chat(asked or request())
    finally:
        found.close()


def test_a_whole_answer_is_put_together() -> None:
    found = stream(WHOLE)
    assert found.text == "2 9 76"
    assert found.reasoning == ""
    assert found.finish_reason == "stop"


def test_counts_and_times_are_kept_as_the_server_sent_them() -> None:
    found = stream(WHOLE)
    assert found.usage == USAGE
    assert found.timings == TIMINGS


def test_the_first_content_is_the_first_token_and_not_the_role(clock: FakeClock) -> None:
    empty = chunk({"content": ""})
    found = stream(
        [0.5, ROLE, 0.5, empty, 1.0, chunk({"content": "a"}), 0.25, chunk({"content": "b"}),
         3.0, END, LAST, DONE],
        clock,
    )  # fmt: skip
    assert found.chunk_s == (2.0, 2.25)


def test_reasoning_is_a_first_token_too_and_no_answer(clock: FakeClock) -> None:
    found = stream(
        [0.5, chunk({"reasoning_content": "hm"}), 0.5, chunk({"content": "7"}), END, LAST, DONE],
        clock,
    )
    assert (found.text, found.reasoning) == ("7", "hm")
    assert found.chunk_s == (0.5, 1.0)


def test_chunks_are_not_tokens() -> None:
    found = stream(WHOLE)
    assert found.usage is not None
    assert len(found.chunk_s) == 2
    assert found.usage["completion_tokens"] == 5


def test_an_answer_in_one_read_is_the_same_answer() -> None:
    assert stream([b"".join(WHOLE)]).text == stream(WHOLE).text == "2 9 76"


def test_a_character_split_over_reads_is_whole() -> None:
    raw = b"".join([chunk({"content": "gr\u00fc\u00df \U0001f600"}), END, LAST, DONE])
    assert stream([raw[i : i + 1] for i in range(len(raw))]).text == "gr\u00fc\u00df \U0001f600"


def test_half_a_surrogate_pair_is_no_text_that_could_not_be_written() -> None:
    raw = b'data: {"choices": [{"delta": {"content": "a\\ud83d"}}]}\n\n'
    assert stream([raw, END, LAST, DONE]).text == "a\ufffd"


def test_pings_change_nothing() -> None:
    reads = [b":\n\n", ROLE, b": keep-alive\n\n", *WHOLE[1:]]
    assert stream(reads).text == "2 9 76"


def test_the_last_usage_counts() -> None:
    early = chunk({"content": "a"}, usage={"prompt_tokens": 1}, timings={"prompt_n": 1})
    empty = chunk({"content": "b"}, usage=None)
    found = stream([early, empty, LAST, DONE])
    assert (found.usage, found.timings) == (USAGE, TIMINGS)


def test_a_server_without_counts_and_times_leaves_them_out() -> None:
    found = stream([chunk({"content": "a"}), END, DONE])
    assert (found.usage, found.timings) == (None, None)


def test_an_answer_without_text_has_no_chunks() -> None:
    found = stream([ROLE, END, LAST, DONE])
    assert (found.text, found.chunk_s) == ("", ())


@pytest.mark.parametrize(
    ("reads", "message"),
    [
        pytest.param(
            [ROLE, chunk({"content": "a"}), b'data: {"error": {"message": "slot lost"}}\n\n', DONE],
            "error in mid-stream: .*slot lost",
            id="error in mid-stream",
        ),
        pytest.param([ROLE, chunk({"content": "a"}), LAST], "cut after 1 chunks", id="cut"),
        pytest.param([ROLE, chunk({"content": "a"})[:-9]], "cut after 0 chunks", id="torn event"),
        pytest.param([], "cut after 0 chunks", id="nothing at all"),
        pytest.param([b"data: {oops\n\n"], "is not valid JSON", id="not JSON"),
        pytest.param([b"data: [1]\n\n"], "is not valid JSON", id="no object"),
        pytest.param(
            [ROLE, httpx.RemoteProtocolError("peer closed connection")],
            "RemoteProtocolError: peer closed",
            id="connection lost",
        ),
        pytest.param([httpx.ReadError("reset")], "ReadError: reset", id="connection reset"),
    ],
)
def test_a_broken_stream_is_a_failed_request(
    reads: list[bytes | Exception | float], message: str
) -> None:
    with pytest.raises(RequestFailed, match=message):
        stream(reads)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        pytest.param(
            401,
            b'{"error": {"code": 401, "message": "Invalid API Key"}}',
            r"^HTTP 401: Invalid API Key$",
            id="401",
        ),
        pytest.param(500, b'{"error": "boom"}', r"^HTTP 500: boom$", id="500 with text"),
        pytest.param(500, b"<html>oops</html>", "^HTTP 500: <html>oops", id="500 without JSON"),
        pytest.param(503, b'{"error": {"message": "Loading model"}}', "Loading model", id="503"),
        pytest.param(400, b"x" * 5000, r"^HTTP 400: x{200}$", id="a long page"),
    ],
)
def test_an_error_status_is_a_failed_request(status: int, body: bytes, message: str) -> None:
    found = client(lambda _: httpx.Response(status, content=body))
    with pytest.raises(RequestFailed, match=message):
        found.stream_chat(request())


def test_a_server_that_is_not_there_is_a_failed_request() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(RequestFailed, match="ConnectError"):
        client(refuse).stream_chat(request())


def test_silence_is_a_timeout() -> None:
    with pytest.raises(RequestTimedOut, match="silent for 30 s"):
        stream([ROLE, httpx.ReadTimeout("read")])


def test_an_endless_answer_is_a_timeout() -> None:
    drip: list[bytes | float] = [chunk({"content": "a"}), 0.01] * 500
    with pytest.raises(RequestTimedOut, match=r"no end after 0\.1 s"):
        stream(drip, asked=request(timeout_s=0.1))


@pytest.mark.parametrize(
    ("changes", "present", "absent"),
    [
        pytest.param({}, {"seed": 7, "temperature": 0.0, "max_tokens": 16}, {"ignore_eos"}, id="-"),
        pytest.param({"ignore_eos": True}, {"ignore_eos": True}, set(), id="ignore_eos"),
        pytest.param({"seed": None}, {}, {"seed", "ignore_eos"}, id="no seed"),
        pytest.param({"seed": 0}, {"seed": 0}, set(), id="seed 0"),
        pytest.param({"reuse_cache": True}, {"cache_prompt": True}, set(), id="reuse_cache"),
        pytest.param({}, {}, {"chat_template_kwargs"}, id="thinking as the server does"),
        pytest.param(
            {"thinking": False},
            {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
            set(),
            id="no thinking",
        ),
        pytest.param(
            {"thinking_budget": 9}, {"thinking_budget_tokens": 9}, set(), id="a budget of thoughts"
        ),
        pytest.param({}, {}, {"thinking_budget_tokens"}, id="no budget of thoughts"),
    ],
)
def test_the_request_says_what_was_asked_and_no_more(
    changes: dict[str, Any], present: dict[str, Any], absent: set[str]
) -> None:
    seen: list[httpx.Request] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        seen.append(sent)
        return httpx.Response(200, content=iter(WHOLE))

    client(answer).stream_chat(request(**changes))
    (sent,) = seen
    body = json.loads(sent.content)
    assert sent.url.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer key"
    assert body["messages"] == [{"role": "user", "content": "Sort 9 2 76"}]
    assert body["cache_prompt"] is changes.get("reuse_cache", False)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert body.items() >= present.items()
    assert not absent & set(body)


def test_a_failed_request_is_not_repeated() -> None:
    calls: list[str] = []

    def fail(sent: httpx.Request) -> httpx.Response:
        calls.append(sent.url.path)
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")

    with pytest.raises(RequestFailed, match="disconnected"):
        client(fail).stream_chat(request())
    assert len(calls) == 1


def test_each_request_has_its_own_connection_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Spy(httpx.Client):
        def __init__(self, **options: Any) -> None:
            seen.update(options)
            super().__init__(**options)

    monkeypatch.setattr(httpx, "Client", Spy)
    LlamaClient("http://127.0.0.1:1").close()
    assert seen["limits"].max_keepalive_connections == 0
    assert seen["trust_env"] is False


def test_control_routes_are_read() -> None:
    routes: dict[str, Any] = {
        "/props": {"model_ftype": "Q4_K - Medium"},
        "/tokenize": {"tokens": [1, 2, 3]},
        "/completion": {"generation_settings": {"seed": 7}},
        "/health": {"status": "ok"},
    }
    found = client(lambda sent: httpx.Response(200, json=routes[sent.url.path]))
    assert found.healthy()
    assert found.props() == {"model_ftype": "Q4_K - Medium"}
    assert found.count_tokens("a b c") == 3
    assert found.sampler_settings(7) == {"seed": 7}


def test_a_server_that_loads_is_not_healthy() -> None:
    assert not client(lambda _: httpx.Response(503)).healthy()

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    assert not client(refuse).healthy()


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(httpx.Response(404, text="no"), "/props: HTTP 404: no", id="status"),
        pytest.param(httpx.Response(200, text="hi"), "/props: ", id="not JSON"),
        pytest.param(httpx.Response(200, json=[1]), "/props: not a JSON object", id="a list"),
    ],
)
def test_a_control_route_that_fails_is_named(response: httpx.Response, message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        client(lambda _: response).props()
