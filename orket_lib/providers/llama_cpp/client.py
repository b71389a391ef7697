"""Client of llama.cpp's HTTP server, whether embedded or `llama-server`."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import httpx

from orket_lib.artifacts.io import json_value
from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.providers.base import (
    Generation,
    GenerationRequest,
    RunningModel,
    ServerAddress,
    TokenReport,
)
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.wire.chat_stream import (
    LLAMA_BUDGET,
    Section,
    chat_body,
    streamed_answer,
    template_switches,
)
from orket_lib.providers.wire.http import (
    MOST_CONTROL_BYTES,
    HttpServer,
    most_bytes_of_tokens,
)
from orket_lib.providers.wire.json_fields import count, seconds, section, text
from orket_lib.providers.wire.prometheus import samples
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.quants import tag_of_ftype

_MS = 1e-3
_HEALTH_TIMEOUT_S = 2.0  # a slower server is asked again


class LlamaClient:
    """A connection to one llama.cpp server.

    Args:
        base_url: `http://127.0.0.1:PORT`.
        api_key: Sent as a bearer token when given.
        transport: For tests; the network otherwise.
        model: The model to use, on a router over several models.

    Attributes:
        address: Where the server is.
        named: Fields of a request that name the model on a router.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
        model: str | None = None,
    ) -> None:
        self.named = {} if model is None else {"model": model}
        self._query = f"?{urlencode({**self.named, 'autoload': 'false'})}" if model else ""
        self._server = HttpServer(base_url, api_key, transport)
        self.address = ServerAddress(self._server.base_url, api_key)

    def close(self) -> None:
        """Free the client's resources."""
        self._server.close()

    def healthy(self) -> bool:
        """Return whether the server answers and has loaded its model."""
        return self._server.status("/health", _HEALTH_TIMEOUT_S) == httpx.codes.OK

    def props(self) -> dict[str, Any]:
        """Return `GET /props`: settings and facts of the server."""
        return self._server.call("GET", f"/props{self._query}")

    def models(self) -> list[dict[str, Any]]:
        """Return the entries of `GET /v1/models`; with a model name, only its own."""
        listed = self._server.call("GET", "/v1/models").get("data")
        name = self.named.get("model")
        models = listed if isinstance(listed, list) else []
        found = [model for model in models if isinstance(model, dict)]
        return [model for model in found if name in (None, model.get("id"))]

    def metrics(self) -> dict[str, float]:
        """Return the counters of `GET /metrics` by name; the server needs `--metrics`."""
        return samples(self._server.text("GET", f"/metrics{self._query}"))

    def busy_slots(self) -> int:
        """Return the number of busy slots of `GET /slots`; the server needs `--slots`."""
        slots = json_value(self._server.text("GET", f"/slots{self._query}"))
        found = slots if isinstance(slots, list) else []
        return sum(isinstance(it, dict) and bool(it.get("is_processing")) for it in found)

    def listens(self) -> bool:
        """Return whether there is any answer at the server's address."""
        return self._server.status("/health") is not None

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, without special tokens."""
        most = most_bytes_of_tokens(text)
        tokens = self._post("/tokenize", {"content": text}, most_bytes=most).get("tokens")
        if not isinstance(tokens, list):
            raise ProviderError("POST /tokenize: the answer has no tokens", Cause.ANSWERED)
        return len(tokens)

    def sampler_settings(self, seed: int | None) -> dict[str, Any]:
        """Return the sampler settings that the server applies to a request with this seed."""
        body: dict[str, Any] = {"prompt": "a", "n_predict": 1, "cache_prompt": False}
        if seed is not None:
            body["seed"] = seed
        return section(self._post("/completion", body), "generation_settings")

    def stream_chat(self, request: GenerationRequest) -> Generation:
        """Stream one chat answer and return it with its arrival times.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, or the stream was cut.
        """
        body = {**chat_body(request), "cache_prompt": request.reuse_cache}
        if request.ignore_eos:
            body["ignore_eos"] = True
        if request.thinking is not None:
            body["chat_template_kwargs"] = template_switches(request.thinking)
        if request.thinking_budget is not None:
            body[LLAMA_BUDGET] = request.thinking_budget
        path = f"/v1/chat/completions{self._query}"
        return streamed_answer(self._server, path, body | self.named, request, llama_tokens)

    def load_model(self, name: str) -> None:
        """Start loading a model on a router."""
        self._server.call("POST", "/models/load", {"model": name})

    def unload_model(self, name: str) -> None:
        """Start unloading a model on a router."""
        self._server.call("POST", "/models/unload", {"model": name})

    def _post(
        self, path: str, body: dict[str, Any], most_bytes: int = MOST_CONTROL_BYTES
    ) -> dict[str, Any]:
        return self._server.call(
            "POST", path + self._query, {**body, **self.named}, most_bytes=most_bytes
        )


def llama_tokens(usage: Section, timings: Section) -> TokenReport:
    """Return the counts and times in `usage` and `timings` of a llama.cpp server."""
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
        thinking=_thinking(usage),
        prefill_s=seconds(timings, "prompt_ms", _MS),
        decode_s=seconds(timings, "predicted_ms", _MS),
        drafted=count(timings, "draft_n"),
    )


def _thinking(usage: dict[str, Any]) -> int | None:
    """Return the tokens of reasoning, as OpenAI or SGLang name them; None if not counted."""
    known = count(section(usage, "completion_tokens_details"), "reasoning_tokens")
    return count(usage, "reasoning_tokens") if known is None else known


class LlamaRequests:
    """The requests to a llama.cpp server that need no session; see `Provider`."""

    serves_one_model = False

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        """Return the models that a server offers; see `Provider.catalog`."""
        with closing(LlamaClient(base_url, api_key)) as client:
            props, models = client.props(), client.models()
        # What a router tells of a model depends on whether that is loaded at the moment.
        told = {} if props.get("role") == "router" else props
        offered = (
            OfferedModel(
                name=name,
                quant_tag=tag_of_ftype(text(told, "model_ftype")),
                bytes=count(section(item, "meta"), "size") if told else None,
                n_ctx=count(section(told, "default_generation_settings"), "n_ctx"),
                parameters=count(section(item, "meta"), "n_params") if told else None,
                loaded=True,
                owner=text(item, "owned_by"),
                path=text(told, "model_path"),
            )
            for item in models
            if (name := _alias_in(item, closely or ()) or text(item, "id"))
        )
        return Catalog(Offering(build=text(props, "build_info"), models=tuple(offered)))

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        """Send one request to a running model; see `Provider.ask`."""
        name = None if self.serves_one_model else model.name  # a router needs it
        url, key = model.address.base_url, model.address.api_key
        with closing(LlamaClient(url, key, model=name)) as client:
            return client.stream_chat(request)


def _alias_in(item: dict[str, Any], wanted: Collection[str]) -> str | None:
    """Return the alias of a model that is among the wanted names."""
    aliases = item.get("aliases")
    return next((it for it in (aliases if isinstance(aliases, list) else ()) if it in wanted), None)
