"""A guest at a model that somebody else serves: asks a question, and loads and changes nothing.

It asks in the same words as the session that serves the model does, so that the same question gets
the same answer from either. LM Studio is asked over the routes that it shares with everybody.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut


@dataclass(frozen=True)
class ServedElsewhere:
    """A model that is served by somebody else.

    Attributes:
        provider: What kind of server it is, as a config names it.
        address: Of the server.
        name: Of the model, as the server spells it.
        n_ctx: The context that it was loaded with, where the config names one.
        threads: Likewise.
        extras: Fields of a request that this server takes, see `openai_client`.
    """

    provider: str
    address: ServerAddress
    name: str
    n_ctx: int | None = None
    threads: int | None = None
    extras: tuple[str, ...] = ()


def ask_as_guest(model: ServedElsewhere, request: GenerationRequest) -> Generation:
    """Ask one question.

    Raises:
        RequestTimedOut: The request ran past its time limit.
        RequestFailed: The server is not there, answered with an error, or cut the stream.
    """
    try:
        return _ask(model, request)
    except RequestTimedOut as error:
        raise RequestTimedOut(f"{model.address.base_url}: {error}") from None
    except RequestFailed as error:
        told, cause = f"{model.address.base_url}: {error}", error.evidence.cause
        raise RequestFailed(told, error.fault, cause) from None


def _ask(model: ServedElsewhere, request: GenerationRequest) -> Generation:
    url, key = model.address.base_url, model.address.api_key
    if model.provider in ("embedded", "llama_server"):
        from orket_lib.providers.llama_cpp.client import LlamaClient

        name = model.name if model.provider == "llama_server" else None  # a router needs it
        with closing(LlamaClient(url, key, model=name)) as llama:
            return llama.stream_chat(request)
    if model.provider == "ollama":
        from orket_lib.providers.ollama.client import OllamaClient
        from orket_lib.providers.ollama.stream import load_options

        with closing(OllamaClient(url, key)) as ollama:
            return ollama.stream(model.name, request, load_options(model.n_ctx, model.threads))
    from orket_lib.providers.openai.client import OpenAiClient

    with closing(OpenAiClient(url, key)) as client:
        return client.stream_chat(model.name, request, model.extras)
