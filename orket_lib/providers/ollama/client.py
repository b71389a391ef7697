"""Client of Ollama's native API; the `/v1` routes are not used because they report no times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress
from orket_lib.providers.ollama.models import (
    Details,
    Loaded,
    Offer,
    details,
    loaded_models,
    offers,
)
from orket_lib.providers.ollama.stream import (
    GENERATE,
    KEEP_ALIVE,
    assemble,
    request_for,
    says_done,
)
from orket_lib.providers.wire.http import HttpServer
from orket_lib.providers.wire.json_fields import text
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S, PROVIDERS

_DEFAULT_URL = str(PROVIDERS["ollama"].default_url)


class OllamaClient:
    """A connection to one Ollama server; raises the errors of `HttpServer`.

    Args:
        base_url: Of the server; None means Ollama's default.
        api_key: Sent as a bearer token when given, for a server behind a proxy.
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
        return self._server.status("/api/version") is not None

    def version(self) -> str | None:
        """Return the server's version."""
        return text(self._server.call("GET", "/api/version"), "version")

    def offers(self) -> tuple[Offer, ...]:
        """Return the models that the server has."""
        return offers(self._server.call("GET", "/api/tags"))

    def details(self, tag: str) -> Details:
        """Return the details of a model."""
        return details(self._server.call("POST", "/api/show", {"model": tag}))

    def loaded(self) -> tuple[Loaded, ...]:
        """Return the models that are in memory."""
        return loaded_models(self._server.call("GET", "/api/ps"))

    def load(self, tag: str, options: Mapping[str, Any]) -> None:
        """Load a model; returns when it is loaded."""
        body = {"model": tag, "stream": False, "keep_alive": KEEP_ALIVE, "options": dict(options)}
        self._server.call("POST", GENERATE, body, LOAD_TIMEOUT_S)

    def unload(self, tag: str) -> None:
        """Start unloading a model, which takes a while."""
        self._server.call("POST", GENERATE, {"model": tag, "stream": False, "keep_alive": 0})

    def stream(
        self, tag: str, request: GenerationRequest, options: Mapping[str, Any]
    ) -> Generation:
        """Stream one answer and return it with its arrival times.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
            ProviderError: A model on another machine answered.
        """
        path, body = request_for(tag, request, options)
        return self._server.generation(
            path, body, request, lambda stream: assemble(stream, request.prompt), says_done
        )
