"""Client of LM Studio: its own routes of both versions, and the stream of its answers."""

from __future__ import annotations

from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress, TokenReport
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.providers.lmstudio.models import (
    Answering,
    Listed,
    answering,
    models_of_v0,
    models_of_v1,
)
from orket_lib.providers.wire.chat_stream import Section, assemble, chat_body
from orket_lib.providers.wire.http import HttpServer
from orket_lib.providers.wire.json_fields import seconds, text
from orket_lib.vocabulary.addresses import DEFAULT_URLS
from orket_lib.vocabulary.errors import Fault, RequestFailed

# Below the first one it tells times beside the text, the second one is like everybody's.
ROUTES = _OWN, _ = "/api/v0", "/v1"
_LOAD_TIMEOUT_S = 1800.0


class LmStudioClient:
    """A connection to one LM Studio. What can go wrong is what `HttpServer` says.

    Args:
        base_url: Of the server; None is where LM Studio listens by default.
        api_key: Sent as a bearer token when given.
        transport: For tests; the network otherwise.

    Attributes:
        address: Where the server is.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        root = (base_url or DEFAULT_URLS["lmstudio"]).rstrip("/").removesuffix("/v1")
        self.address = ServerAddress(root, api_key)
        self._server = HttpServer(root, api_key, transport)

    def close(self) -> None:
        """Free the client's resources."""
        self._server.close()

    def answers(self) -> bool:
        """Tell whether anybody answers."""
        return self._server.status("/v1/models") is not None

    def models(self) -> tuple[tuple[Listed, ...], bool]:
        """Return the models, and whether the server can be told to load and unload them."""
        # A version that doesn't know a route says so with 404, or under HTTP 200.
        newer = models_of_v1(self._listed("/api/v1/models"))
        if newer is not None:
            return newer, True
        older = models_of_v0(self._listed("/api/v0/models"))
        if older is None:
            raise RequestFailed("GET /api/v0/models: the answer lists no models", Fault.NOT_FOUND)
        return older, False

    def load(self, model: str, n_ctx: int | None) -> tuple[str, float | None]:
        """Load a model; returns, when it is loaded, its instance and the seconds that it says."""
        body: dict[str, Any] = {"model": model, "echo_load_config": True}
        if n_ctx is not None:
            body["context_length"] = n_ctx
        answer = self._server.call("POST", "/api/v1/models/load", body, _LOAD_TIMEOUT_S)
        return text(answer, "instance_id") or model, seconds(answer, "load_time_seconds")

    def unload(self, instance: str) -> None:
        """Ask for an instance to be unloaded."""
        self._server.call("POST", "/api/v1/models/unload", {"instance_id": instance})

    def load_by_asking(self, model: str, ttl_s: int) -> None:
        """Have an older version load a model, which it does when it is first asked.

        Args:
            model: That is not loaded.
            ttl_s: How long it shall stay in memory unused.
        """
        self._first_token(model, ttl=ttl_s)

    def describe(self, instance: str) -> Answering:
        """Return what an answer of an instance says of itself."""
        try:
            return answering(self._first_token(instance))
        except RequestFailed:
            return Answering()

    def stream(self, route: str, instance: str, request: GenerationRequest) -> Generation:
        """Stream one answer and return it with its arrival times.

        Args:
            route: Of `ROUTES`.
            instance: That shall answer.
            request: What is asked. A speed measurement goes without the chat template, because
                LM Studio can't ignore an end of sequence: a bare text is gone on with for longer.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        body = {**chat_body(request), "model": instance}
        path = f"{route}/chat/completions"
        if request.ignore_eos:
            del body["messages"]
            body["prompt"], path = request.prompt, f"{route}/completions"
        stream = self._server.stream(path, body, request.timeout_s, request.max_tokens)
        return assemble(stream, lmstudio_tokens, "stats")

    def _first_token(self, model: str, **more: Any) -> dict[str, Any]:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": "a"}],
            "max_tokens": 1,
            "temperature": 0.0,
            "stream": False,
            **more,
        }
        return self._server.call("POST", f"{_OWN}/chat/completions", body, _LOAD_TIMEOUT_S)

    def _listed(self, path: str) -> dict[str, Any]:
        """Return what a route lists; nothing from a version that doesn't have it."""
        try:
            return self._server.call("GET", path)
        except RequestFailed as error:
            if error.fault is Fault.NOT_FOUND:
                return {}
            raise


def lmstudio_tokens(usage: Section, stats: Section) -> TokenReport:
    """Return what `usage` and `stats` say.

    `time_to_first_token` is no time of the prompt: queue, template and first token are in it.
    """
    said = llama_tokens(usage, None)
    return TokenReport(
        prompt=said.prompt,
        cached=said.cached,
        uncached=said.uncached,
        output=said.output,
        decode_s=seconds(stats or {}, "generation_time"),
    )
