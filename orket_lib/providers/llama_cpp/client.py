"""Client of llama.cpp's HTTP server, embedded or `llama-server`: one wire format, one client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from orket_lib.providers.base import (
    Generation,
    GenerationRequest,
    ServerAddress,
    TokenReport,
)
from orket_lib.providers.wire.chat_stream import Section, assemble, chat_body
from orket_lib.providers.wire.http import CONTROL_TIMEOUT_S, HttpServer
from orket_lib.providers.wire.json_fields import count, seconds, section
from orket_lib.providers.wire.prometheus import samples
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.failures import Cause

_CHAT = "/v1/chat/completions"
_MS = 1e-3
_FOR_A_MARGIN = 2
_HEALTH_TIMEOUT_S = 2.0  # who takes longer is asked again


@dataclass(frozen=True)
class TokenChoice:
    """A token that a model chose, and what it thought of the likeliest ones.

    Attributes:
        token: That was chosen.
        likeliest: Tokens with their log probabilities (nats), the likeliest first.
    """

    token: str
    likeliest: tuple[tuple[str, float], ...]

    @property
    def margin(self) -> float | None:
        """By how many nats the likeliest token leads; None where only one was told."""
        if len(self.likeliest) < _FOR_A_MARGIN:
            return None
        return self.likeliest[0][1] - self.likeliest[1][1]


class LlamaClient:
    """A connection to one llama.cpp server.

    Args:
        base_url: `http://127.0.0.1:PORT`.
        api_key: Sent as a bearer token when given.
        transport: For tests; the network otherwise.
        model: Of a router over several, which one is asked.

    Attributes:
        address: Where the server is.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
        model: str | None = None,
    ) -> None:
        self.address = ServerAddress(base_url, api_key)
        self._named = {} if model is None else {"model": model}
        self._query = f"?{urlencode({**self._named, 'autoload': 'false'})}" if model else ""
        self._server = HttpServer(base_url, api_key, transport)

    def close(self) -> None:
        """Free the client's resources."""
        self._server.close()

    def healthy(self) -> bool:
        """Tell whether the server answers and has loaded its model."""
        return self._server.status("/health", _HEALTH_TIMEOUT_S) == httpx.codes.OK

    def props(self) -> dict[str, Any]:
        """Return `GET /props`: what the server says of itself."""
        return self._server.call("GET", f"/props{self._query}")

    def models(self) -> list[dict[str, Any]]:
        """Return what `GET /v1/models` lists; with a router, of the model that is asked."""
        listed = self._server.call("GET", "/v1/models").get("data")
        name = self._named.get("model")
        told = listed if isinstance(listed, list) else []
        found = [model for model in told if isinstance(model, dict)]
        return [model for model in found if name in (None, model.get("id"))]

    def metrics(self) -> dict[str, float]:
        """Return what `GET /metrics` counts, by name; a server has it with `--metrics`."""
        return samples(self._server.text("GET", f"/metrics{self._query}"))

    def busy_slots(self) -> int:
        """Return how many slots of `GET /slots` are at work, which a server has with `--slots`."""
        slots = json.loads(self._server.text("GET", f"/slots{self._query}"))
        return sum(bool(slot.get("is_processing")) for slot in slots)

    def listens(self) -> bool:
        """Tell whether anybody answers at the server's address, whatever the answer is."""
        return self._server.status("/health") is not None

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, special tokens left out."""
        tokens = self._post("/tokenize", {"content": text}).get("tokens")
        if not isinstance(tokens, list):
            raise ProviderError("POST /tokenize: the answer holds no tokens", Cause.ANSWERED)
        return len(tokens)

    def sampler_settings(self, seed: int | None) -> dict[str, Any]:
        """Return the settings that the server applies to a request with this seed."""
        body: dict[str, Any] = {"prompt": "a", "n_predict": 1, "cache_prompt": False}
        if seed is not None:
            body["seed"] = seed
        return section(self._post("/completion", body), "generation_settings")

    def token_choices(self, request: GenerationRequest) -> tuple[TokenChoice, ...]:
        """Return what the model chose, token by token; no speed measurement."""
        body = {**_chat_body(request), "stream": False, "logprobs": True}
        body["top_logprobs"] = _FOR_A_MARGIN
        del body["stream_options"]
        answer = self._post(_CHAT, body, request.timeout_s)
        try:
            (choice,) = answer["choices"]
            return tuple(map(_choice, choice["logprobs"]["content"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderError(f"POST {_CHAT}: the answer holds no logprobs: {error!r}") from None

    def stream_chat(self, request: GenerationRequest) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        body = {**_chat_body(request), **self._named}
        path = f"{_CHAT}{self._query}"
        stream = self._server.stream(path, body, request.timeout_s, request.max_tokens)
        return assemble(stream, llama_tokens)

    def load_model(self, name: str) -> None:
        """Have a router begin to load a model."""
        self._server.call("POST", "/models/load", {"model": name})

    def unload_model(self, name: str) -> None:
        """Have a router begin to unload a model."""
        self._server.call("POST", "/models/unload", {"model": name})

    def _post(
        self, path: str, body: dict[str, Any], timeout_s: float = CONTROL_TIMEOUT_S
    ) -> dict[str, Any]:
        return self._server.call("POST", path + self._query, {**body, **self._named}, timeout_s)


def _choice(step: dict[str, Any]) -> TokenChoice:
    likeliest = tuple((str(top["token"]), float(top["logprob"])) for top in step["top_logprobs"])
    return TokenChoice(str(step["token"]), likeliest)


def _chat_body(request: GenerationRequest) -> dict[str, Any]:
    body = {**chat_body(request), "cache_prompt": request.reuse_cache}
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
    if uncached is None and prompt is not None and cached is not None and cached <= prompt:
        uncached = prompt - cached
    return TokenReport(
        prompt=prompt,
        cached=cached,
        uncached=uncached,
        output=output,
        prefill_s=seconds(timings, "prompt_ms", _MS),
        decode_s=seconds(timings, "predicted_ms", _MS),
    )
