"""Detects what else happens on an Ollama server during a measurement.

The server may unload our model for another client and reload it within one of our requests, be
restarted, or answer other clients at the same time. It has no counters, so other clients' requests
to our own model can't be detected; other models that are loaded can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orket_lib.artifacts.views.run_report import LoadTimes, Observation
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.models import Loaded, find_loaded
from orket_lib.providers.ollama.process import Runner, find_runner
from orket_lib.providers.server_process import ServerProcess
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.reasons import Reason

# A warm request spends some 0.1 s on finding its model. A reload takes a good part of the first
# load, shortened by what is still in the page cache.
_RELOAD_S = 0.5
_RELOAD_SHARE = 0.25


class OllamaWatch:
    """Remembers how a model was loaded, and reports what changed since.

    Args:
        client: Of the server.
        tag: Of the model.
        loaded: The model as it was listed after its load.
        load: How long that took.
        server: The serving process.
        runner: The process that holds the model, where known.
    """

    def __init__(
        self,
        client: OllamaClient,
        tag: str,
        loaded: Loaded,
        load: LoadTimes,
        server: ServerProcess,
        runner: Runner | None,
    ) -> None:
        self._client = client
        self._tag = tag
        self._loaded = loaded
        self._reload_s = max(_RELOAD_S, (load.load_seconds or 0.0) * _RELOAD_SHARE)
        self._server = server
        self._runner = runner

    def look(self, spent_s: float | None) -> Iterator[Observation]:
        """Yield what changed since the last look, each change once.

        Args:
            spent_s: On loading in the last request, as the server reports it.
        """
        try:
            models = self._client.loaded()
        except ProviderError as error:
            yield Observation.of(
                Reason.SERVER_RESTARTED, f"the list of loaded models can't be read: {error}"
            )
            return
        yield from self._restarts(spent_s)
        yield from self._changes(models)

    def _restarts(self, spent_s: float | None) -> Iterator[Observation]:
        if replaced := self._server.replaced():
            yield Observation.of(Reason.SERVER_RESTARTED, replaced)
        if self._runner and not self._runner.alive:
            yield Observation.of(
                Reason.SERVER_RESTARTED,
                f"process {self._runner.process.pid}, which held the model, ended",
            )
            self._runner = find_runner(self._server)
        elif spent_s is not None and spent_s >= self._reload_s:
            yield Observation.of(
                Reason.SERVER_RESTARTED, f"the server spent {spent_s:.2f} s on loading the model"
            )

    def _changes(self, models: Sequence[Loaded]) -> Iterator[Observation]:
        ours = find_loaded(models, self._tag, self._loaded.digest)
        if ours is None:
            yield Observation.of(
                Reason.SERVER_RESTARTED, f"{self._tag} was unloaded during the run"
            )
        else:
            if ours.digest != self._loaded.digest:
                evidence = f"{self._tag} was {self._loaded.digest} and is {ours.digest} now"
                yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
            if ours.n_ctx != self._loaded.n_ctx:
                evidence = f"its context was {self._loaded.n_ctx} and is {ours.n_ctx} now"
                yield Observation.of(Reason.CONTEXT_MISMATCH, evidence)
        others = [model.name for model in models if model is not ours]
        if others:
            evidence = f"loaded at the same time by another client: {', '.join(others)}"
            yield Observation.of(Reason.FOREIGN_REQUESTS, evidence)
