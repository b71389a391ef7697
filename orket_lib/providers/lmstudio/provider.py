"""Provider `lmstudio`: a model of a running LM Studio, over its own API.

A model is loaded for one session with the requested context, read back, and unloaded after it. The
API can neither fix the length of an answer nor report cached prompt tokens, so a probe may end
early, and there is no prompt rate.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.base import (
    NOT_REPORTED,
    Generation,
    GenerationRequest,
    RunningModel,
    Source,
    reported,
)
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.lmstudio.client import ROUTES, LmStudioClient
from orket_lib.providers.lmstudio.lifecycle import (
    NAME,
    find_model,
    loaded_model,
    unload_others,
)
from orket_lib.providers.lmstudio.models import Instance, Listed, loaded
from orket_lib.providers.openai.client import SEED, USAGE, ask_running_model
from orket_lib.providers.seed_check import seed_readback
from orket_lib.providers.server_process import ServerProcess
from orket_lib.providers.shared_server import ActionLog, load_errors
from orket_lib.providers.thinking_check import as_accepted, thinking_readback
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import normalize_tag
from orket_lib.vocabulary.reasons import Reason

_SHORT = GenerationRequest("a", max_tokens=2, temperature=0.0, seed=None, timeout_s=300.0)
_PROBE = replace(_SHORT, ignore_eos=True)


class LmStudioProvider:
    """Serves one model at a time from an LM Studio."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LmStudioModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        tag = spec.artifact.tag
        assert tag is not None
        actions = ActionLog(log)
        with closing(LmStudioClient(source.place.base_url, source.place.api_key)) as client:
            listed = find_model(client, tag)
            unload_others(client, source.place.exclusive, actions)
            with loaded_model(client, tag, _settings(spec), actions) as (instance, load):
                with load_errors(NAME, f"asking {tag}"):
                    model = LmStudioModel(client, spec, listed, instance, load)
                if spec.n_ctx and (model.served.n_ctx or 0) < spec.n_ctx:
                    actions.add(
                        f"{tag} was loaded with a context of {model.served.n_ctx or 'unknown'} "
                        f"instead of {spec.n_ctx}: LM Studio before 0.4 uses the model's settings "
                        "in the application"
                    )
                yield model

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        """Return the models that a server offers; see `Provider.catalog`."""
        with closing(LmStudioClient(base_url, api_key)) as client:
            listed, _ = client.models()
        return Catalog(Offering(models=tuple(it for item in listed for it in _offered(item))))

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        """Send one request to a running model; see `Provider.ask`."""
        return ask_running_model(model, request)  # LM Studio has OpenAI's routes, too


class LmStudioModel:
    """The loaded model; see `Model`."""

    def __init__(
        self,
        client: LmStudioClient,
        spec: MeasurementSpec,
        listed: Listed,
        instance: Instance,
        load: LoadTimes,
    ) -> None:
        self._client = client
        self._instance = instance
        self._route = _route(client, instance.id)
        self._process = ServerProcess(client.address.base_url, client.answers)
        self.address = client.address
        self.load = load
        self.served = _read_back(client, listed, instance)
        self.controls: tuple[ControlReadback, ...] = ()
        self.controls = tuple(self._controls(spec))

    @property
    def pid(self) -> int | None:
        """The process that serves now; see `Model.pid`."""
        return self._process.pid

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        try:
            accepted = as_accepted(request, self.controls)
            return self._client.stream(self._route, self._instance.id, accepted)
        except RequestFailed as error:
            raise self._process.explained(error) from None

    def count_tokens(self, text: str) -> None:
        """LM Studio has no route for it."""

    def takes_tools(self) -> None:
        """LM Studio has a prompt of its own for templates that take no tools."""

    def scorer(self, timeout_s: float) -> None:
        """LM Studio gives no probabilities."""

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[Observation]:
        replaced = self._process.replaced()
        if replaced:
            yield Observation.of(Reason.SERVER_RESTARTED, replaced)
        try:
            now = loaded(self._client.models()[0])
        except ProviderError:
            return  # the next request reports what is wrong
        before, ours = self._instance, now.pop(self._instance.id, None)
        if ours is None:
            yield Observation.of(Reason.SERVER_RESTARTED, f"{before.id} is no longer loaded")
        elif ours.n_ctx != before.n_ctx:
            evidence = f"{before.id} had a context of {before.n_ctx} and has {ours.n_ctx}"
            yield Observation.of(Reason.SERVER_RESTARTED, evidence)
            self._instance = replace(before, n_ctx=ours.n_ctx)
        if now:
            evidence = f"{', '.join(now)}: loaded by another client in the meantime"
            yield Observation.of(Reason.FOREIGN_REQUESTS, evidence)

    def _controls(self, spec: MeasurementSpec) -> Iterator[ControlReadback]:
        if spec.thinking:
            yield thinking_readback(self.generate, spec.thinking)
        if spec.controls.seed is not None:
            yield seed_readback(self.generate, spec.controls.seed, spec.temperature)
        flash = {True: "on", False: "off", None: None}[self._instance.flash_attn]
        for name, wanted, applied in (
            ("flash_attn", spec.flash_attn, flash),
            ("batch_size", spec.batch_size, self._instance.batch_size),
        ):
            if wanted is not None:
                yield ControlReadback(
                    name=name,
                    requested=str(wanted),
                    applied=None if applied is None else str(applied),
                    held=applied == wanted or (wanted == "auto" and applied is not None),
                    source="list of loaded instances",
                )


def _settings(spec: MeasurementSpec) -> dict[str, Any]:
    """Return the settings of a load that the spec names, as LM Studio names them."""
    flash = {"on": True, "off": False}.get(spec.flash_attn or "")
    settings = {
        "context_length": spec.n_ctx,
        "flash_attention": flash,
        "eval_batch_size": spec.batch_size,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _route(client: LmStudioClient, instance: str) -> str:
    """Return the first route that reports token counts, else one that answers.

    Raises:
        LoadError: No route answers.
    """
    answering, last = [], None
    for route in ROUTES:
        try:
            found = [client.stream(route, instance, request) for request in (_SHORT, _PROBE)]
        except RequestFailed as error:
            last = error
            continue
        if all(generation.usage is not None for generation in found):
            return route
        answering.append(route)
    if not answering and last:
        raise LoadError(f"{instance} does not answer: {last}", last.evidence)
    return answering[0]


def _read_back(client: LmStudioClient, listed: Listed, instance: Instance) -> ServedModel:
    """Return what is served, according to the answers, else to the list of models."""
    answer = client.describe(instance.id)
    by_answer = answer.quant_tag is not None
    quant = answer.quant_tag or listed.quant_tag
    source = "/api/v0/chat/completions model_info.quant" if by_answer else "list of models"
    return ServedModel.of(
        quant_tag=quant,
        quant_source=source if quant else None,
        bytes=reported(listed.bytes),
        bits_per_weight=Null("NO_LOCAL_FILE"),
        n_ctx=reported(instance.n_ctx or answer.n_ctx),
        build=f"LM Studio, {answer.runtime}" if answer.runtime else "LM Studio",
        request_extras=(USAGE, SEED),
        server_memory_mib=NOT_REPORTED,
        server_vram_mib=NOT_REPORTED,
    )


def _offered(item: Listed) -> Iterator[OfferedModel]:
    """Yield each variant of a model, and the model's own name."""
    values = {"n_ctx": item.most_ctx, "chats": item.chats}
    for variant in item.variants:
        if variant != item.key:
            _, at, quant = variant.rpartition("@")
            tag = normalize_tag(quant) if at else None
            # The size is reported only for the variant that is selected at the moment.
            size = item.bytes if tag == item.quant_tag else None
            yield OfferedModel(name=variant, quant_tag=tag, bytes=size, **values)
    yield OfferedModel(
        name=item.key,
        quant_tag=item.quant_tag,
        bytes=item.bytes,
        loaded=bool(item.instances),
        **values,
    )


def unload_all(base_url: str, api_key: str | None) -> None:
    """Unload every model; see `registry.unload_all`."""
    with closing(LmStudioClient(base_url, api_key)) as client:
        unload_others(client, exclusive=True, actions=ActionLog(Path(os.devnull)))
