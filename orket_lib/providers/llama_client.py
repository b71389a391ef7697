"""Client of llama.cpp's HTTP server, embedded or `llama-server`: one wire format, one client.

Every measured request has a connection of its own: the server may close a kept-alive one when a
stream ends (T21), and nothing is ever retried silently. The request's clock starts when the
connection stands and the first header byte is about to be written. No proxy of the environment is
used, so a loopback request stays on the loopback.
"""

from __future__ import annotations

import time
from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.sse import DONE, events, json_object
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, RequestTimedOut

_CONTROL_TIMEOUT_S = 30.0
_CHAT = "/v1/chat/completions"


class LlamaClient:
    """A connection to one llama.cpp server.

    Args:
        base_url: `http://127.0.0.1:PORT`.
        api_key: Sent as a bearer token when given.
        transport: For tests; the network otherwise.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={
                "Accept-Encoding": "identity",  # raw reads are stamped: they must be the text
                **({"Authorization": f"Bearer {api_key}"} if api_key else {}),
            },
            timeout=_CONTROL_TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Free the client's resources."""
        self._http.close()

    def healthy(self) -> bool:
        """Tell whether the server answers and has loaded its model."""
        try:
            return self._http.get("/health").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def props(self) -> dict[str, Any]:
        """Return `GET /props`: what the server says of itself."""
        return self._call("GET", "/props")

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, special tokens left out."""
        tokens = self._call("POST", "/tokenize", {"content": text}).get("tokens")
        if not isinstance(tokens, list):
            raise ProviderError("POST /tokenize: the answer holds no tokens")
        return len(tokens)

    def sampler_settings(self, seed: int | None) -> dict[str, Any]:
        """Return the settings that the server applies to a request with this seed."""
        body: dict[str, Any] = {"prompt": "a", "n_predict": 1, "cache_prompt": False}
        if seed is not None:
            body["seed"] = seed
        settings = self._call("POST", "/completion", body).get("generation_settings")
        return settings if isinstance(settings, dict) else {}

    def stream_chat(self, request: GenerationRequest) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        reads, marks = self._read_stream(request)
        written = marks.get("http11.send_request_headers.started", marks["begin"])
        return assemble(reads, written, _connect_time(marks))

    def _read_stream(
        self, request: GenerationRequest
    ) -> tuple[list[tuple[float, bytes]], dict[str, float]]:
        """Return the stamped reads of a stream, and the clock at each stage of the request."""
        marks = {"begin": time.perf_counter()}
        deadline = marks["begin"] + request.timeout_s
        reads: list[tuple[float, bytes]] = []

        def mark(stage: str, _: dict[str, Any]) -> None:
            marks[stage] = time.perf_counter()

        try:
            with self._http.stream(
                "POST",
                _CHAT,
                json=_chat_body(request),
                timeout=request.timeout_s,
                extensions={"trace": mark},
            ) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise RequestFailed(_error_text(response))
                for read in response.iter_raw():
                    now = time.perf_counter()
                    reads.append((now, read))
                    if now > deadline:
                        raise RequestTimedOut(f"no end after {request.timeout_s:g} s")
        except httpx.TimeoutException:
            raise RequestTimedOut(f"silent for {request.timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise RequestFailed(f"{type(error).__name__}: {error}") from None
        return reads, marks

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object that a route answers with."""
        try:
            response = self._http.request(method, path, json=body)
            if response.status_code != httpx.codes.OK:
                raise ProviderError(f"{method} {path}: {_error_text(response)}")
            return json_object(response.text)
        except httpx.HTTPError as error:
            raise ProviderError(f"{method} {path}: {type(error).__name__}: {error}") from None
        except ValueError as error:
            raise ProviderError(f"{method} {path}: {error}") from None


def _chat_body(request: GenerationRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": request.prompt}],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "cache_prompt": False,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if request.ignore_eos:
        body["ignore_eos"] = True
    return body


def assemble(
    reads: list[tuple[float, bytes]], written: float, connect_s: float | None
) -> Generation:
    """Return the generation that a finished stream holds.

    Args:
        reads: Stamped reads of the body.
        written: The clock when the request was written.
        connect_s: How long connecting took before that.

    Raises:
        RequestFailed: The stream holds an error, no JSON, or no end.
    """
    text, reasoning, arrivals = [], [], []
    finish = usage = timings = None
    done = False
    for event in events(reads):
        if event.data == DONE:
            done = True
            break
        try:
            chunk = json_object(event.data)
        except ValueError as error:
            raise RequestFailed(f"the stream holds no JSON: {error}") from None
        if chunk.get("error"):
            raise RequestFailed(f"error in mid-stream: {chunk['error']}")
        usage = chunk.get("usage") or usage
        timings = chunk.get("timings") or timings
        for choice in chunk.get("choices") or ():
            finish = choice.get("finish_reason") or finish
            delta = choice.get("delta") or {}
            content = delta.get("content") or ""
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            if content or thought:
                arrivals.append(event.at_s - written)
                text.append(content)
                reasoning.append(thought)
    if not done:
        raise RequestFailed(f"the stream was cut after {len(arrivals)} chunks")
    return Generation(
        text="".join(text),
        reasoning="".join(reasoning),
        finish_reason=finish,
        connect_s=connect_s,
        chunk_s=tuple(arrivals),
        usage=usage,
        timings=timings,
    )


def _connect_time(marks: dict[str, float]) -> float | None:
    start = marks.get("connection.connect_tcp.started")
    end = marks.get("connection.connect_tcp.complete")
    return end - start if start is not None and end is not None else None


def _error_text(response: httpx.Response) -> str:
    try:
        detail = json_object(response.text).get("error", response.text)
    except ValueError:
        detail = response.text
    message = detail.get("message", detail) if isinstance(detail, dict) else detail
    return f"HTTP {response.status_code}: {str(message)[:200]}"
