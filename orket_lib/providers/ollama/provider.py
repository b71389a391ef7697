"""Provider `ollama`: a model of a running Ollama server, over its native API.

The server may be shared: a model is loaded for one session and unloaded after it (`lifecycle`), and
other clients are watched for (`watch`). `OLLAMA_HOST` is ignored: a measurement depends on its
config, not on the shell that it was started from.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
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
from orket_lib.providers.base import Generation, GenerationRequest, RunningModel, Source, reported
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.gguf.memory_estimate import ModelShape, shape_of
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.lifecycle import (
    NAME,
    cloud_refusal,
    find_offer,
    load,
    loaded_as,
    read_build,
    unload,
    unload_others,
)
from orket_lib.providers.ollama.models import Loaded, Offer, find_loaded, full_name, is_cloud
from orket_lib.providers.ollama.process import Runner, find_runner, server_process
from orket_lib.providers.ollama.prompt_counts import PromptCounts
from orket_lib.providers.ollama.scorer import OllamaScorer
from orket_lib.providers.ollama.stream import load_options, load_s
from orket_lib.providers.ollama.watch import OllamaWatch
from orket_lib.providers.seed_check import seed_readback
from orket_lib.providers.server_process import ServerProcess
from orket_lib.providers.shared_server import ActionLog, load_errors
from orket_lib.providers.thinking_check import as_accepted, thinking_readback
from orket_lib.providers.wire.json_fields import count
from orket_lib.vocabulary.errors import RequestFailed
from orket_lib.vocabulary.units import MIB


class OllamaProvider:
    """Serves one tag at a time from an Ollama server."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[OllamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        tag = spec.artifact.tag
        assert tag is not None
        actions = ActionLog(log)
        with closing(OllamaClient(source.place.base_url, source.place.api_key)) as client:
            build = read_build(client)
            offer = find_offer(client, tag)
            unload_others(client, source.place.exclusive, actions)
            options = load_options(
                spec.n_ctx, spec.controls.threads, spec.asked_layers, spec.batch_size
            )
            try:
                times = load(client, tag, options, actions)
                yield OllamaModel(client, spec, tag, offer, build, options, times)
            finally:
                unload(client, tag, offer, actions)

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        """Return the models that a server offers; see `Provider.catalog`."""
        with closing(OllamaClient(base_url, api_key)) as client:
            build, offers, loaded = client.version(), client.offers(), client.loaded()
            wanted = None if closely is None else set(map(full_name, closely))
            models: list[OfferedModel] = []
            shapes: dict[str, ModelShape] = {}
            for offer in filter(lambda offer: offer.name, offers):
                model = _offered(offer, find_loaded(loaded, offer.name, offer.digest) is not None)
                if model.remote is None and (wanted is None or full_name(offer.name) in wanted):
                    details = client.details(offer.name)
                    shape = shape_of(details.metadata)
                    shapes |= {offer.name: shape} if shape else {}
                    seen = {
                        "n_ctx": shape.n_ctx if shape else None,
                        "parameters": count(details.metadata, "general.parameter_count"),
                        "chats": not details.capabilities or "completion" in details.capabilities,
                    }
                    model = model.model_copy(update=seen)
                models.append(model)
        return Catalog(Offering(build=build, models=tuple(models)), shapes, full_name)

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        """Send one request to a running model; see `Provider.ask`."""
        with closing(OllamaClient(model.address.base_url, model.address.api_key)) as client:
            return client.stream(model.name, request, load_options(model.n_ctx, model.threads))


class OllamaModel:
    """The loaded model; see `Model`."""

    def __init__(
        self,
        client: OllamaClient,
        spec: MeasurementSpec,
        tag: str,
        offer: Offer,
        build: str,
        options: dict[str, Any],
        times: LoadTimes,
    ) -> None:
        self._client = client
        self._tag = tag
        self._options = options
        self._load_s: float | None = None
        self._prompt_counts = PromptCounts(build)
        self.address = client.address
        self.load = times
        loaded = loaded_as(client, tag, offer)
        self._server = ServerProcess(client.address.base_url, client.answers, server_process)
        runner = find_runner(self._server)
        self.served = _read_back(client, tag, offer, loaded, runner, build)
        self._watch = OllamaWatch(client, tag, loaded, times, self._server, runner)
        self.controls: tuple[ControlReadback, ...] = ()
        self.controls = tuple(self._controls(spec, runner))

    @property
    def pid(self) -> int | None:
        """The process that serves now; see `Model.pid`."""
        return self._server.pid

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        try:
            accepted = as_accepted(request, self.controls)
            generation = self._client.stream(self._tag, accepted, self._options)
        except RequestFailed as error:
            raise self._server.explained(error) from None
        self._load_s = load_s(generation)
        return self._prompt_counts.completed(request, generation)

    def count_tokens(self, text: str) -> None:
        """Ollama has no route that counts."""

    def takes_tools(self) -> bool | None:
        """Return whether the chat template takes tools; older servers list no capabilities."""
        return "tools" in self.served.capabilities if self.served.capabilities else None

    def scorer(self, timeout_s: float) -> OllamaScorer:
        """Return what asks for probabilities; see `Model.scorer`."""
        explained = self._server.explained
        return OllamaScorer(self.address, self._tag, self._options, timeout_s, explained)

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        spent_s, self._load_s = self._load_s, None
        return tuple(self._watch.look(spent_s))

    def _controls(self, spec: MeasurementSpec, runner: Runner | None) -> Iterator[ControlReadback]:
        """Yield the read-back of each control that the spec names."""
        asked = spec.controls
        if spec.thinking:
            yield thinking_readback(self.generate, spec.thinking)
        if asked.seed is not None:
            yield seed_readback(self.generate, asked.seed, spec.temperature)
        for name, wanted in (
            ("threads", asked.threads),
            ("gpu_layers", spec.gpu_layers),
            ("batch_size", spec.batch_size),
        ):
            if wanted is not None:
                applied = getattr(runner, name) if runner else None
                yield ControlReadback(
                    name=name,
                    requested=str(wanted),
                    applied=None if applied is None else str(applied),
                    held=applied == wanted,
                    source="command line of the process that holds the model",
                )


def _read_back(
    client: OllamaClient,
    tag: str,
    offer: Offer,
    loaded: Loaded,
    runner: Runner | None,
    build: str,
) -> ServedModel:
    """Return what is served, from the server and the command line of its process."""
    with load_errors(NAME, "looking at the model"):
        details = client.details(tag)
    if details.remote_host:
        raise cloud_refusal(tag, details.remote_host)
    return ServedModel.of(
        path=runner.model if runner else None,
        digest=loaded.digest or offer.digest,
        quant_tag=details.quant_tag,
        quant_source="/api/show quantization_level" if details.quant_tag else None,
        file_quant_tag=details.file_quant_tag,
        bytes=reported(offer.bytes),
        bits_per_weight=reported(details.bits_per_weight),
        n_ctx=reported(loaded.n_ctx or (runner.n_ctx if runner else None)),
        build=build,
        server_memory_mib=reported(_mib(loaded.bytes)),
        server_vram_mib=reported(_mib(loaded.vram_bytes)),
        capabilities=details.capabilities,
    )


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB


def _offered(offer: Offer, loaded: bool) -> OfferedModel:
    return OfferedModel(
        name=offer.name,
        quant_tag=offer.quant_tag,
        bytes=offer.bytes,
        digest=offer.digest,
        loaded=loaded,
        remote=offer.remote_host or ("another host" if is_cloud(offer.name) else None),
    )


def unload_all(base_url: str, api_key: str | None) -> None:
    """Unload every model; see `registry.unload_all`."""
    with closing(OllamaClient(base_url, api_key)) as client:
        unload_others(client, exclusive=True, actions=ActionLog(Path(os.devnull)))
