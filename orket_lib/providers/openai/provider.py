"""Provider `openai`: a model of a running server with OpenAI's routes.

This is for vLLM, SGLang, TGI and others: nothing is loaded, unloaded or set. The server's facts and
accepted fields are read once, when the session opens; what it doesn't report is null with a reason.
Its counters, where they are of a known kind, show whether other clients used it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.artifacts.views.run_report import ControlReadback, LoadTimes, Observation
from orket_lib.processes.waiting import wait_until
from orket_lib.providers.base import Generation, GenerationRequest, RunningModel, Source
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.openai.client import (
    BUDGETS,
    SEED,
    THINKING,
    OpenAiClient,
    ask_running_model,
)
from orket_lib.providers.openai.optional_fields import accepted_extras
from orket_lib.providers.openai.scorer import OpenAiScorer
from orket_lib.providers.openai.server_info import ServerFacts, served_model, server_facts
from orket_lib.providers.openai.watch import OpenAiWatch
from orket_lib.providers.seed_check import seed_readback
from orket_lib.providers.server_process import ServerProcess
from orket_lib.providers.shared_server import ActionLog, listed_names
from orket_lib.providers.thinking_check import (
    budget_readback,
    no_budget,
    not_switched,
    thinking_readback,
)
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.errors import Fault, LoadError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S, typed

_POLL_S = 0.5
R = TypeVar("R")
_FACTS_TIMEOUT_S = 0.5  # of a route that only one kind of server has


class OpenAiProvider:
    """Measures one model of a running server."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[OpenAiModel]:
        """Attach to the server until the context ends; see `Provider.serve`."""
        url = source.place.base_url
        if url is None:
            raise LoadError("provider `openai` needs a base_url", Cause.NOT_SET_UP)
        actions = ActionLog(log)
        with closing(OpenAiClient(url, source.place.api_key)) as client:
            model = _attach(client, spec, actions)
            actions.add(
                f"attached to {model.served.build} with {', '.join(model.served.request_extras)}"
            )
            yield model

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        """Return the models that a server offers; see `Provider.catalog`."""
        with closing(OpenAiClient(base_url, api_key)) as client:
            cards = client.models()
            first = next(iter(cards.values()), {})
            facts = server_facts(client.server, first, _FACTS_TIMEOUT_S)
            # Without a version it is the owner, which each entry tells.
            build = facts.build if facts.version else None
        offered = (
            OfferedModel(
                name=name,
                n_ctx=count(card, "max_model_len"),
                bytes=count(section(card, "meta"), "size"),
                parameters=count(section(card, "meta"), "n_params"),
                loaded=True,
                owner=text(card, "owned_by"),
                path=text(card, "root"),
            )
            for name, card in cards.items()
        )
        return Catalog(Offering(build=build, models=tuple(offered)))

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        """Send one request to a running model; see `Provider.ask`."""
        return ask_running_model(model, request)


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

    def takes_tools(self) -> None:
        """No route tells it."""

    def scorer(self, timeout_s: float) -> OpenAiScorer:
        """Return what asks for probabilities; see `Model.scorer`."""
        return OpenAiScorer(self.address, self._name, timeout_s, self._process.explained)

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        return tuple(self._watch.look(self._process.replaced()))

    def _controls(self, spec: MeasurementSpec) -> Iterator[ControlReadback]:
        if spec.thinking and set(THINKING) & set(self._extras):
            yield thinking_readback(self.generate, spec.thinking)
        elif spec.thinking:
            yield not_switched(spec.thinking, f"the server refuses {' and '.join(THINKING)}")
        if spec.thinking_budget and set(BUDGETS) & set(self._extras):
            yield budget_readback(self.generate, self.count_tokens, spec)
        elif spec.thinking_budget:
            yield no_budget(spec, f"the server refuses {' and '.join(BUDGETS)}")
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
    """Return the server's entry for the spec's model, once it has loaded.

    Raises:
        LoadError: No server answers, it refuses our key, or it offers other models.
    """
    url, tag = client.address.base_url, str(spec.artifact.tag)
    try:
        offered, _ = _once_loaded(client.models)
    except (RequestFailed, RequestTimedOut) as error:
        hint = "; api_key: ${ENV:NAME} names its key" if "HTTP 401" in str(error) else ""
        raise LoadError(f"no usable server at {url}: {error}{hint}", Cause.GONE) from None
    if tag not in offered:
        raise LoadError(
            f"the server at {url} offers {listed_names(list(offered))}, and not {tag}; vLLM serves "
            f"it with: "
            f"vllm serve {_vllm_arguments(tag, spec.n_ctx)}",
            Cause.NOT_OFFERED,
        )
    return offered[tag]


def _once_loaded(call: Callable[[], R]) -> tuple[R, bool]:
    """Return the result of a call, and whether it had to wait for a server that was still loading.

    Raises:
        RequestFailed: The server is still loading after `LOAD_TIMEOUT_S`, or it failed otherwise.
    """
    found: list[R] = []
    tries = 0

    def has_loaded() -> bool:
        nonlocal tries
        tries += 1
        try:
            found.append(call())
        except RequestFailed as error:
            if error.fault is Fault.LOADING:
                return False
            raise
        return True

    loaded = wait_until(has_loaded, LOAD_TIMEOUT_S, _POLL_S)
    return (found[0] if loaded else call()), tries > 1


def _vllm_arguments(tag: str, n_ctx: int | None) -> str:
    return f"{typed(tag)} --max-model-len {n_ctx}" if n_ctx else typed(tag)


def _attach(client: OpenAiClient, spec: MeasurementSpec, actions: ActionLog) -> OpenAiModel:
    """Read the server's facts and find out which fields it accepts.

    Some servers list their models while they still load them, and refuse questions until then. What
    such a list says of a model is not final, so it is read again.

    Raises:
        LoadError: It doesn't answer even a plain request.
    """
    name = str(spec.artifact.tag)
    card = _card(client, spec)

    def ask(request: GenerationRequest, extras: Collection[str]) -> Generation:
        return client.stream_chat(name, request, extras)

    thinking = None if spec.thinking is None else spec.thinking == "on"
    try:
        extras, waited = _once_loaded(
            lambda: accepted_extras(ask, text(card, "owned_by"), thinking, spec.thinking_budget)
        )
        if waited:
            actions.add(f"waited until {name} was loaded")
            card = _card(client, spec)
        facts = server_facts(client.server, card)
        watch = OpenAiWatch(client, name, card)
        return OpenAiModel(client, spec, facts, extras, watch)
    except (RequestFailed, RequestTimedOut) as error:
        message = f"{name} at {client.address.base_url} does not answer: {error}"
        raise LoadError(message, error.evidence) from None


def _with_cached(generation: Generation, cached: int | None) -> Generation:
    """Return a generation with the cached tokens from the server's counters."""
    tokens = generation.tokens
    if tokens.cached is not None or cached is None or tokens.prompt is None:
        return generation
    if cached > tokens.prompt:  # at least partly of other requests
        return generation
    tokens = replace(tokens, cached=cached, uncached=tokens.prompt - cached)
    return replace(generation, tokens=tokens)
