"""Client of OpenAI's routes, as vLLM, SGLang, TGI, LM Studio and many others have them.

Apart from messages, limit and temperature, servers differ in the request fields that they accept: a
field that one server needs, another one refuses with 400. So the caller finds out first which
optional fields a server accepts, and passes their names.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from contextlib import closing
from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest, RunningModel, ServerAddress
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.providers.wire.chat_stream import (
    EFFORT,
    LLAMA_BUDGET,
    chat_body,
    effort_of,
    streamed_answer,
    template_switches,
)
from orket_lib.providers.wire.http import HttpServer, most_bytes_of_tokens
from orket_lib.providers.wire.json_fields import count, text
from orket_lib.vocabulary.errors import RequestFailed

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
# Request fields that not every server accepts.
USAGE, SEED, IGNORE_EOS, MIN_TOKENS, CACHE_SALT, CACHE_PROMPT, TEMPLATE, _, BUDGET, _ = EXTRAS = (
    "stream_options",
    "seed",
    "ignore_eos",
    "min_tokens",
    "cache_salt",
    "cache_prompt",
    "chat_template_kwargs",
    EFFORT,
    "thinking_token_budget",  # vLLM's
    LLAMA_BUDGET,
)
# Those that switch reasoning; a server may read either of them.
THINKING = (TEMPLATE, EFFORT)
# Those that limit it.
BUDGETS = (BUDGET, LLAMA_BUDGET)


class OpenAiClient:
    """A connection to one server; raises the errors of `HttpServer`.

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
        self.server = HttpServer(base_url, api_key, transport)
        self.address = ServerAddress(self.server.base_url, api_key)
        self._salt = secrets.token_hex(16)

    def close(self) -> None:
        """Free the client's resources."""
        self.server.close()

    def answers(self) -> bool:
        """Return whether the server answers."""
        return self.server.status(MODELS) is not None

    def models(self) -> dict[str, dict[str, Any]]:
        """Return the entry of each model that the server offers, by name."""
        listed = self.server.call("GET", MODELS).get("data")
        cards = listed if isinstance(listed, list) else ()
        named = ((text(card, "id"), card) for card in cards if isinstance(card, dict))
        return {name: card for name, card in named if name}

    def count_tokens(self, model: str, text: str) -> int | None:
        """Return how many tokens a text has; None from a server without vLLM's route for it."""
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        most = most_bytes_of_tokens(text)
        try:
            return count(self.server.call("POST", "/tokenize", body, most_bytes=most), "count")
        except RequestFailed:
            return None

    def stream_chat(
        self, model: str, request: GenerationRequest, extras: Collection[str]
    ) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Args:
            model: As the server spells it.
            request: The request.
            extras: The fields of `EXTRAS` that the server accepts.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        if not request.reuse_cache:
            self._salt = secrets.token_hex(16)  # matches no other request's cache (T7)
        body = chat_request(model, request, extras, self._salt)
        # Only llama.cpp adds its times to these routes.
        return streamed_answer(self.server, CHAT, body, request, llama_tokens)


def chat_request(
    model: str, request: GenerationRequest, extras: Collection[str], salt: str
) -> dict[str, Any]:
    """Return the body of a request.

    For a fixed length, `ignore_eos` is preferred: `min_tokens` costs vLLM time.

    Args:
        model: As the server spells it.
        request: The request.
        extras: The fields of `EXTRAS` that the server accepts.
        salt: Only requests with the same salt share cached prompts.
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
    if request.thinking is not None and TEMPLATE in extras:
        body[TEMPLATE] = template_switches(request.thinking)
    if request.thinking is not None and EFFORT in extras:
        body[EFFORT] = effort_of(request.thinking)
    if request.thinking_budget is not None:
        body |= dict.fromkeys((it for it in BUDGETS if it in extras), request.thinking_budget)
    return body


def ask_running_model(model: RunningModel, request: GenerationRequest) -> Generation:
    """Send one request to a running model; see `Provider.ask`."""
    with closing(OpenAiClient(model.address.base_url, model.address.api_key)) as client:
        return client.stream_chat(model.name, request, model.extras)
