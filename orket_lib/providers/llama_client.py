"""Client of llama.cpp's HTTP server, embedded or `llama-server`: one wire format, one client."""

from __future__ import annotations

from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport
from orket_lib.providers.chat_stream import Section, assemble, chat_body
from orket_lib.providers.http import HttpServer
from orket_lib.providers.numbers import count, seconds, section
from orket_lib.vocabulary.errors import ProviderError

_CHAT = "/v1/chat/completions"
_MS = 1e-3


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
        self._server = HttpServer(base_url, api_key, transport)

    def close(self) -> None:
        """Free the client's resources."""
        self._server.close()

    def healthy(self) -> bool:
        """Tell whether the server answers and has loaded its model."""
        return self._server.status("/health") == httpx.codes.OK

    def props(self) -> dict[str, Any]:
        """Return `GET /props`: what the server says of itself."""
        return self._server.call("GET", "/props")

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, special tokens left out."""
        tokens = self._server.call("POST", "/tokenize", {"content": text}).get("tokens")
        if not isinstance(tokens, list):
            raise ProviderError("POST /tokenize: the answer holds no tokens")
        return len(tokens)

    def sampler_settings(self, seed: int | None) -> dict[str, Any]:
        """Return the settings that the server applies to a request with this seed."""
        body: dict[str, Any] = {"prompt": "a", "n_predict": 1, "cache_prompt": False}
        if seed is not None:
            body["seed"] = seed
        return section(self._server.call("POST", "/completion", body), "generation_settings")

    def stream_chat(self, request: GenerationRequest) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        body = _chat_body(request)
        stream = self._server.stream(_CHAT, body, request.timeout_s, request.max_tokens)
        return assemble(stream, llama_tokens)


def _chat_body(request: GenerationRequest) -> dict[str, Any]:
    body = {**chat_body(request), "cache_prompt": False}
    if request.ignore_eos:
        body["ignore_eos"] = True
    return body


def llama_tokens(usage: Section, timings: Section) -> TokenReport:
    """Return what `usage` and `timings` of a llama.cpp server say."""
    usage, timings = usage or {}, timings or {}
    cached = count(timings, "cache_n")
    if cached is None:
        cached = count(section(usage, "prompt_tokens_details"), "cached_tokens")
    prompt, output = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    if output is None:
        output = count(timings, "predicted_n")
    uncached = count(timings, "prompt_n")
    if uncached is None and prompt is not None and cached is not None:
        uncached = prompt - cached
    return TokenReport(
        prompt=prompt,
        cached=cached,
        uncached=uncached,
        output=output,
        prefill_s=seconds(timings, "prompt_ms", _MS),
        decode_s=seconds(timings, "predicted_ms", _MS),
    )
