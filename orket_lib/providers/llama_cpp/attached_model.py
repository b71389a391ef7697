"""The model of a `llama-server` that runs already: nothing is started, stopped, or assumed.

The server was started by someone else, so a cell with another model stops here, with an error that
names both; its context is read back, not set. Other clients, restarts and model changes during the
measurement are checked for after each request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.model import LlamaModel, build_named, read_back, read_controls
from orket_lib.providers.llama_cpp.traffic import Traffic
from orket_lib.providers.server_process import ServerProcess, served_file
from orket_lib.providers.wire.json_fields import count, section
from orket_lib.vocabulary.errors import LoadError, ProviderError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason

_RUNNING = Null("SERVER_ALREADY_RUNNING")


class AttachedModel(LlamaModel):
    """A model on a server that we did not start; see `Model`.

    Args:
        client: Of the server.
        process: The server's.
        served: What is served, read back.
        controls: The controls, read back.
        props: The server's `GET /props` at the beginning.
    """

    def __init__(
        self,
        client: LlamaClient,
        process: ServerProcess,
        served: ServedModel,
        controls: tuple[ControlReadback, ...],
        props: dict[str, Any],
    ) -> None:
        load = LoadTimes.of(load_seconds=_RUNNING, model_seconds=_RUNNING)
        super().__init__(client, process.pid, served, controls, load, process.explained)
        self._props = props
        self._process = process
        self._traffic = Traffic(client)

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        generation = None
        try:
            generation = super().generate(request)
        finally:
            self._traffic.add(generation.tokens if generation else None)
        return generation

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        return tuple(self._seen())

    def _seen(self) -> Iterator[Observation]:
        try:
            props = self._client.props()
        except ProviderError:
            return  # the next request reports that it is gone
        restart = self._process.replaced()
        if restart is None and self._traffic.restarted():
            restart = "the server's counters were reset"
        if restart:
            self.pid = self._process.pid
            yield Observation.of(Reason.SERVER_RESTARTED, restart)
            self._traffic = Traffic(self._client)
        else:
            foreign = self._traffic.foreign()
            if foreign:
                yield Observation.of(Reason.FOREIGN_REQUESTS, foreign)
        for reason, what in (
            (Reason.QUANT_IDENTITY_MISMATCH, "model_path"),
            (Reason.QUANT_IDENTITY_MISMATCH, "model_alias"),
            (Reason.QUANT_IDENTITY_MISMATCH, "model_ftype"),
            (Reason.CONTEXT_MISMATCH, "default_generation_settings.n_ctx"),
        ):
            before, now = _named(self._props, what), _named(props, what)
            if before != now:
                yield Observation.of(reason, f"{what} was {before} and is {now}")


def look_at(
    spec: MeasurementSpec, source: Source, client: LlamaClient, process: ServerProcess
) -> tuple[LlamaClient, ServerProcess, ServedModel, tuple[ControlReadback, ...], dict[str, Any]]:
    """Return the arguments of `AttachedModel`, all of them read back.

    Raises:
        LoadError: It is known to be another model than the cell's.
    """
    props, models = client.props(), client.models()
    artifact = served_file(props.get("model_path"), process.pid)
    build = build_named("llama-server", props)
    served = read_back(props, artifact, build)
    if artifact is None:
        served = _with_bits(served, models)
    if spec.artifact.tag:  # the digest of a name is that of its file
        served = served.model_copy(update={"digest": served.sha256})
    _require_model(spec, source, served, _names(props, models), client.address.base_url)
    controls = tuple(read_controls(spec, client, None, None))
    return client, process, served, controls, props


def _require_model(
    spec: MeasurementSpec, source: Source, served: ServedModel, names: list[str], url: str
) -> None:
    """Refuse a model that is known to be another one than the cell's.

    Raises:
        LoadError: Naming both.
    """
    asked, tag = spec.artifact.sha256, spec.artifact.tag
    if asked and served.sha256 and asked != served.sha256:
        raise LoadError(
            f"{url} serves {served.path} (SHA-256 {served.sha256[:12]}...), and this cell is "
            f"{source.artifact} ({asked[:12]}...); start it with that file, or remove base_url, "
            "and a server is started for each cell",
            Cause.NOT_OFFERED,
        )
    if tag and tag not in names:
        listed = ", ".join(f"`{name}`" for name in names) or "no model with a name"
        raise LoadError(
            f"{url} serves {listed}, not `{tag}`; start it with: --alias {tag}", Cause.NOT_OFFERED
        )


def _names(props: dict[str, Any], models: list[dict[str, Any]]) -> list[str]:
    """Return every name that the server gives its model."""
    named = [props.get("model_alias"), *(model.get("id") for model in models)]
    aliases = [alias for model in models for alias in model.get("aliases") or ()]
    return list(dict.fromkeys(name for name in [*named, *aliases] if isinstance(name, str)))


def _with_bits(served: ServedModel, models: list[dict[str, Any]]) -> ServedModel:
    """Add the bits per weight from the server's own counts, where its file can't be read."""
    facts = section(models[0], "meta") if models else {}
    size, weights = count(facts, "size"), count(facts, "n_params")
    if not size or not weights:
        return served
    reasons = {name: why for name, why in served.null_reasons.items() if name != "bits_per_weight"}
    return served.model_copy(
        update={"bits_per_weight": size * 8 / weights, "null_reasons": reasons}
    )


def _named(props: dict[str, Any], path: str) -> object:
    value: object = props
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
