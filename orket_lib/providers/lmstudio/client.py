"""Client of LM Studio: both versions of its own routes, and its streamed answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from orket_lib.providers.wire.chat_stream import (
    EFFORT,
    Section,
    chat_body,
    effort_of,
    streamed_answer,
)
from orket_lib.providers.wire.http import HttpServer
from orket_lib.providers.wire.json_fields import seconds, text
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S, PROVIDERS

# The first one also reports times; the second one is OpenAI's.
ROUTES = _OWN, _OPENAI = "/api/v0", "/v1"
_DEFAULT_URL = str(PROVIDERS["lmstudio"].default_url)


class LmStudioClient:
    """A connection to one LM Studio; raises the errors of `HttpServer`.

    Args:
        base_url: Of the server; None means LM Studio's default.
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
        self._server = HttpServer(base_url or _DEFAULT_URL, api_key, transport)
        self.address = ServerAddress(self._server.base_url, api_key)

    def close(self) -> None:
        """Free the client's resources."""
        self._server.close()

    def answers(self) -> bool:
        """Return whether the server answers."""
        return self._server.status("/v1/models") is not None

    def models(self) -> tuple[tuple[Listed, ...], bool]:
        """Return the models, and whether the server has routes to load and unload them."""
        # For an unknown route, LM Studio answers with 404, or with an error under 200.
        newer = models_of_v1(self._listed("/api/v1/models"))
        if newer is not None:
            return newer, True
        older = models_of_v0(self._listed("/api/v0/models"))
        if older is None:
            raise RequestFailed("GET /api/v0/models: the answer lists no models", Fault.NOT_FOUND)
        return older, False

    def load(self, model: str, settings: Mapping[str, Any]) -> tuple[str, float | None]:
        """Load a model; return the loaded instance and its load time as reported, in seconds.

        Args:
            model: Its name.
            settings: Of the load, as LM Studio names them.
        """
        body: dict[str, Any] = {"model": model, "echo_load_config": True, **settings}
        answer = self._server.call("POST", "/api/v1/models/load", body, LOAD_TIMEOUT_S)
        return text(answer, "instance_id") or model, seconds(answer, "load_time_seconds")

    def unload(self, instance: str) -> None:
        """Start unloading an instance."""
        self._server.call("POST", "/api/v1/models/unload", {"instance_id": instance})

    def load_by_asking(self, model: str, ttl_s: int) -> None:
        """Load a model on an older version, which does so on the first request.

        Args:
            model: That is not loaded.
            ttl_s: How long an idle model stays in memory.
        """
        self._first_token(model, ttl=ttl_s)

    def describe(self, instance: str) -> Answering:
        """Return the model facts in an answer of an instance."""
        try:
            return answering(self._first_token(instance))
        except RequestFailed:
            return Answering()

    def stream(self, route: str, instance: str, request: GenerationRequest) -> Generation:
        """Stream one answer and return it with its arrival times.

        Args:
            route: Of `ROUTES`.
            instance: Of the model.
            request: The request. A speed measurement goes without the chat template: LM Studio
                can't ignore an end of sequence, and models continue a bare text for longer. One
                with tools takes OpenAI's route, the only one that is documented to have them.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        body = {**chat_body(request), "model": instance}
        if request.thinking is not None:
            body[EFFORT] = effort_of(request.thinking)
        path = f"{_OPENAI if request.tools else route}/chat/completions"
        if request.ignore_eos:
            del body["messages"]
            body.pop(EFFORT, None)
            body["prompt"], path = request.prompt, f"{route}/completions"
        return streamed_answer(self._server, path, body, request, lmstudio_tokens, "stats")

    def _first_token(self, model: str, **more: Any) -> dict[str, Any]:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": "a"}],
            "max_tokens": 1,
            "temperature": 0.0,
            "stream": False,
            **more,
        }
        return self._server.call("POST", f"{_OWN}/chat/completions", body, LOAD_TIMEOUT_S)

    def _listed(self, path: str) -> dict[str, Any]:
        """Return the answer of a list route; empty from a version without that route."""
        try:
            return self._server.call("GET", path)
        except RequestFailed as error:
            if error.fault is Fault.NOT_FOUND:
                return {}
            raise


def lmstudio_tokens(usage: Section, stats: Section) -> TokenReport:
    """Return the counts and times in `usage` and `stats`.

    `time_to_first_token` is not the prompt time: it includes queue, template and first token.
    """
    decode_s = seconds(stats or {}, "generation_time")
    return replace(llama_tokens(usage, None), decode_s=decode_s)
