"""Client of the routes that vLLM, SGLang, TGI, LM Studio and many others took over from OpenAI.

Beside messages, limit and temperature, servers differ in what else a request may hold: a field that
one needs, another one refuses with 400. So which of them are sent is found out first and told here.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.providers.wire.chat_stream import assemble, chat_body
from orket_lib.providers.wire.http import HttpServer
from orket_lib.providers.wire.json_fields import count
from orket_lib.vocabulary.errors import RequestFailed

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
# Fields of a request that not every server takes.
USAGE, SEED, IGNORE_EOS, MIN_TOKENS, CACHE_SALT, CACHE_PROMPT = EXTRAS = (
    "stream_options",
    "seed",
    "ignore_eos",
    "min_tokens",
    "cache_salt",
    "cache_prompt",
)


class OpenAiClient:
    """A connection to one server. What can go wrong is what `HttpServer` says.

    Args:
        base_url: Of the server, with `/v1` or without it.
        api_key: Sent as a bearer token when given.
        transport: For tests; the network otherwise.

    Attributes:
        address: Where the server is.
        server: For routes that only one kind of server has.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        root = base_url.rstrip("/").removesuffix("/v1").rstrip("/")
        self.address = ServerAddress(root, api_key)
        self.server = HttpServer(root, api_key, transport)
        self._salt = secrets.token_hex(16)

    def close(self) -> None:
        """Free the client's resources."""
        self.server.close()

    def answers(self) -> bool:
        """Tell whether anybody answers."""
        return self.server.status(MODELS) is not None

    def models(self) -> dict[str, dict[str, Any]]:
        """Return what the server says of each model that it offers, by name."""
        listed = self.server.call("GET", MODELS).get("data")
        cards = listed if isinstance(listed, list) else ()
        return {str(card["id"]): card for card in cards if isinstance(card, dict) and "id" in card}

    def count_tokens(self, model: str, text: str) -> int | None:
        """Return how many tokens a text has; None from a server without vLLM's route for it."""
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        try:
            return count(self.server.call("POST", "/tokenize", body), "count")
        except RequestFailed:
            return None

    def stream_chat(
        self, model: str, request: GenerationRequest, extras: Collection[str]
    ) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Args:
            model: As the server spells it.
            request: What is asked.
            extras: Of `EXTRAS`, what the server takes.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        if not request.reuse_cache:
            self._salt = secrets.token_hex(16)  # no other request's cache fits (T7)
        body = chat_request(model, request, extras, self._salt)
        stream = self.server.stream(CHAT, body, request.timeout_s, request.max_tokens)
        # A llama.cpp server behind such routes sends its times along; nobody else has any.
        return assemble(stream, llama_tokens)


def chat_request(
    model: str, request: GenerationRequest, extras: Collection[str], salt: str
) -> dict[str, Any]:
    """Return the body of a request.

    Of two ways to a fixed length the first one goes: a least number of tokens costs vLLM time.

    Args:
        model: As the server spells it.
        request: What is asked.
        extras: Of `EXTRAS`, what the server takes.
        salt: Requests with the same one may share what the server has in its cache.
    """
    body = {**chat_body(request), "model": model}
    for name in {USAGE, SEED} - set(extras):
        body.pop(name, None)
    if request.ignore_eos and IGNORE_EOS in extras:
        body[IGNORE_EOS] = True
    elif request.ignore_eos and MIN_TOKENS in extras:
        body[MIN_TOKENS] = request.max_tokens
    if CACHE_SALT in extras:
        body[CACHE_SALT] = salt
    if CACHE_PROMPT in extras:
        body[CACHE_PROMPT] = request.reuse_cache
    return body
