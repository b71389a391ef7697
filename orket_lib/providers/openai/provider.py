"""Provider `openai`: a model of a server that runs already and speaks OpenAI's routes.

vLLM, SGLang, TGI and anything else: nothing is loaded, unloaded or set here. What the server is and
what it takes is asked of it once, when the session opens; what it can't tell is null with a reason,
and stays so. Its counters, where it has any that we know, tell whether we were alone.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import ControlReadback, LoadTimes, Observation
from orket_lib.providers.action_log import Diary
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.providers.openai.client import SEED, OpenAiClient
from orket_lib.providers.openai.optional_fields import accepted_extras
from orket_lib.providers.openai.server_info import ServerFacts, served_model, server_facts
from orket_lib.providers.openai.watch import OpenAiWatch
from orket_lib.providers.seed_check import seed_readback
from orket_lib.providers.server_process import ServerProcess
from orket_lib.providers.wire.json_fields import text
from orket_lib.vocabulary.errors import Fault, LoadError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null

_LOADING_S, _POLL_S = 1800.0, 0.5
_SHOWN = 8  # names of models in a message


class OpenAiProvider:
    """Measures one model of a server that runs."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[OpenAiModel]:
        """Attach to the server until the context ends; see `Provider.serve`."""
        url = source.place.base_url
        if url is None:
            told = "provider `openai` is whatever server lies at base_url; there is none"
            raise LoadError(told, Cause.NOT_SET_UP)
        diary = Diary(log)
        client = OpenAiClient(url, source.place.api_key)
        try:
            card = _card(client, spec)
            model = _attach(client, spec, card)
            diary.say(
                f"attached to {model.served.build} with {', '.join(model.served.request_extras)}"
            )
            yield model
        finally:
            client.close()


class OpenAiModel:
    """The served model; see `Model`."""

    def __init__(
        self,
        client: OpenAiClient,
        spec: MeasurementSpec,
        facts: ServerFacts,
        extras: tuple[str, ...],
        watch: OpenAiWatch,
    ) -> None:
        self._client = client
        self._name = str(spec.artifact.tag)
        self._extras = extras
        self._watch = watch
        self._process = ServerProcess(client.address.base_url, client.answers)
        self._counts = client.count_tokens(self._name, "a") is not None
        self.address = client.address
        running = Null("SERVER_ALREADY_RUNNING")
        self.load = LoadTimes.of(load_seconds=running, model_seconds=running)
        self.served = served_model(facts, self.pid, extras)
        self.controls = tuple(self._controls(spec))

    @property
    def pid(self) -> int | None:
        """The process that serves now; see `Model.pid`."""
        return self._process.pid

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        self._watch.before()
        try:
            generation = self._client.stream_chat(self._name, request, self._extras)
        except RequestFailed as error:
            raise self._process.explained(error) from None
        return _with_cached(generation, self._watch.after())

    def count_tokens(self, text: str) -> int | None:
        """Return the number of tokens of a text; None where the server has no such route."""
        return self._client.count_tokens(self._name, text) if self._counts else None

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        return tuple(self._watch.look(self._process.replaced()))

    def _controls(self, spec: MeasurementSpec) -> Iterator[ControlReadback]:
        seed = spec.controls.seed
        if seed is None:
            return
        if SEED in self._extras or spec.temperature == 0:
            yield seed_readback(self.generate, seed, spec.temperature)
        else:
            yield ControlReadback(
                name="seed",
                requested=str(seed),
                applied=None,
                held=False,
                source="the server refuses a request with a seed",
            )


def _card(client: OpenAiClient, spec: MeasurementSpec) -> Mapping[str, Any]:
    """Return what the server says of the spec's model, once it has loaded.

    Raises:
        LoadError: Nobody answers, it does not take our key, or it offers other models.
    """
    url, tag = client.address.base_url, str(spec.artifact.tag)
    try:
        offered = _offered(client)
    except RequestFailed as error:
        hint = "; api_key: ${ENV:NAME} names its key" if "HTTP 401" in str(error) else ""
        told = f"no server that can be asked at {url}: {error}{hint}"
        raise LoadError(told, Cause.GONE) from None
    except RequestTimedOut as error:
        told = f"no server that can be asked at {url}: {error}"
        raise LoadError(told, Cause.GONE) from None
    if tag not in offered:
        names = ", ".join(list(offered)[:_SHOWN]) or "nothing"
        raise LoadError(
            f"the server at {url} offers {names}, and not {tag}; vLLM serves it with: "
            f"vllm serve {_vllm_arguments(tag, spec.n_ctx)}",
            Cause.NOT_OFFERED,
        )
    return offered[tag]


def _offered(client: OpenAiClient) -> dict[str, dict[str, Any]]:
    """Return the models that the server offers; one that is still loading is waited for."""
    deadline = time.monotonic() + _LOADING_S
    while True:
        try:
            return client.models()
        except RequestFailed as error:
            if error.fault is not Fault.LOADING or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def _vllm_arguments(tag: str, n_ctx: int | None) -> str:
    return f"{tag} --max-model-len {n_ctx}" if n_ctx else tag


def _attach(client: OpenAiClient, spec: MeasurementSpec, card: Mapping[str, Any]) -> OpenAiModel:
    """Find out what the server is and takes.

    Raises:
        LoadError: It does not answer the simplest question.
    """
    name = str(spec.artifact.tag)

    def ask(request: GenerationRequest, extras: Collection[str]) -> Generation:
        return client.stream_chat(name, request, extras)

    try:
        extras = accepted_extras(ask, text(card, "owned_by"))
        facts = server_facts(client.server, card)
        watch = OpenAiWatch(client, name, card)
        return OpenAiModel(client, spec, facts, extras, watch)
    except (RequestFailed, RequestTimedOut) as error:
        told = f"{name} at {client.address.base_url} does not answer: {error}"
        raise LoadError(told, error.evidence) from None


def _with_cached(generation: Generation, cached: int | None) -> Generation:
    """Return a generation with the cached tokens that its server tells by its counters only."""
    tokens = generation.tokens
    if tokens.cached is not None or cached is None or tokens.prompt is None:
        return generation
    if cached > tokens.prompt:  # not of this request, or not only
        return generation
    told = replace(tokens, cached=cached, uncached=tokens.prompt - cached)
    return replace(generation, tokens=told)
