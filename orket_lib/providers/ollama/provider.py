"""Provider `ollama`: a model of a running Ollama server, over its native API.

The server is whoever's it is: a model is loaded for one session and unloaded after it (see
`ollama_lifecycle`), and what else goes on there is watched (`ollama_watch`). `OLLAMA_HOST` is not
read: a measurement depends on its config, not on the shell that it was started from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.action_log import Diary
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.lifecycle import (
    NAME,
    cloud_refusal,
    find_offer,
    load,
    loaded_as,
    make_room,
    read_build,
    unload,
)
from orket_lib.providers.ollama.models import Loaded, Offer
from orket_lib.providers.ollama.process import Runner, find_runner, server_process
from orket_lib.providers.ollama.stream import load_options, load_s
from orket_lib.providers.ollama.watch import OllamaWatch
from orket_lib.providers.seed_check import seed_readback
from orket_lib.providers.server_process import ServerProcess
from orket_lib.providers.shared_server import load_errors
from orket_lib.vocabulary.errors import RequestFailed
from orket_lib.vocabulary.nulls import Null

_MIB = 1024**2


class OllamaProvider:
    """Serves one tag at a time from an Ollama server."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[OllamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        tag = spec.artifact.tag
        assert tag is not None
        diary = Diary(log)
        client = OllamaClient(source.place.base_url, source.place.api_key)
        try:
            build = read_build(client)
            offer = find_offer(client, tag)
            make_room(client, source.place.exclusive, diary)
            options = load_options(spec.n_ctx, spec.controls.threads)
            try:
                times = load(client, tag, options, diary)
                yield OllamaModel(client, spec, tag, offer, build, options, times)
            finally:
                unload(client, tag, offer, diary)
        finally:
            client.close()


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
        self.address = client.address
        self.load = times
        loaded = loaded_as(client, tag, offer)
        self._server = ServerProcess(client.address.base_url, client.answers, server_process)
        runner = find_runner(self._server)
        self.served = _read_back(client, tag, offer, loaded, runner, build)
        self._watch = OllamaWatch(client, tag, loaded, times, self._server, runner)
        self.controls = tuple(self._controls(spec, runner))

    @property
    def pid(self) -> int | None:
        """The process that serves now; see `Model.pid`."""
        return self._server.pid

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        try:
            generation = self._client.stream(self._tag, request, self._options)
        except RequestFailed as error:
            raise self._server.explained(error) from None
        self._load_s = load_s(generation)
        return generation

    def count_tokens(self, text: str) -> None:
        """Ollama has no route that counts."""

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        spent_s, self._load_s = self._load_s, None
        return tuple(self._watch.look(spent_s))

    def _controls(self, spec: MeasurementSpec, runner: Runner | None) -> Iterator[ControlReadback]:
        """Yield what became of each control that the spec names."""
        asked = spec.controls
        if asked.seed is not None:
            yield seed_readback(self.generate, asked.seed, spec.temperature)
        if asked.threads is not None:
            told = runner.threads if runner else None
            yield ControlReadback(
                name="threads",
                requested=str(asked.threads),
                applied=None if told is None else str(told),
                held=told == asked.threads,
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
    """Return what is served, from the server's mouth and the command line of its process."""
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
        bytes=_reported(offer.bytes),
        bits_per_weight=_reported(details.bits_per_weight),
        n_ctx=_reported(loaded.n_ctx or (runner.n_ctx if runner else None)),
        build=build,
        server_memory_mib=_mib(loaded.bytes),
        server_vram_mib=_mib(loaded.vram_bytes),
        capabilities=details.capabilities,
    )


def _mib(size: int | None) -> float | Null:
    return Null("NOT_REPORTED") if size is None else size / _MIB


def _reported(value: float | None) -> float | Null:
    return Null("NOT_REPORTED") if value is None else value
