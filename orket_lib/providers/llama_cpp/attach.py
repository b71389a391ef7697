"""Attaching to a `llama-server` that runs already.

A server with one model is used as it is; a router over several models loads ours and unloads it
afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import LoadTimes, Observation
from orket_lib.processes.waiting import wait_until
from orket_lib.providers.base import NOT_REPORTED, Source
from orket_lib.providers.llama_cpp.attached_model import AttachedModel, look_at
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.router import Router
from orket_lib.providers.server_process import ServerProcess
from orket_lib.vocabulary.errors import LoadError, ProviderError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S
from orket_lib.vocabulary.text import visible

_POLL_S = 0.05
_UNSEEN = "http://unseen.invalid"  # of a process that is not visible from here


class RoutedModel(AttachedModel):
    """A model that a router has loaded for us; see `Model`.

    Args:
        router: The router.
        name: Of the model.
        load_s: How long loading took, in seconds.
        model: The arguments of `AttachedModel`.
    """

    def __init__(self, router: Router, name: str, load_s: float, *model: Any) -> None:
        super().__init__(*model)
        self.load = LoadTimes.of(load_seconds=load_s, model_seconds=NOT_REPORTED)
        self._router, self._name = router, name
        self._explain = router.explained(name, self._explain)

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call."""
        return (*super().disturbances(), *self._router.disturbances(self._name))


@contextmanager
def attached(spec: MeasurementSpec, source: Source, log: Path) -> Iterator[AttachedModel]:
    """Use the server that runs at the source's address, until the context ends.

    Raises:
        LoadError: It does not answer, or serves another model than the cell's.
    """
    place, url = source.place, source.place.base_url
    assert url is not None
    log.write_text(f"the server at {url} is not ours; it has its own log\n", encoding="utf-8")
    with ExitStack() as stack:
        client = stack.enter_context(closing(LlamaClient(url, place.api_key)))
        try:
            _wait_until_loaded(client, url)
            model = _open(stack, spec, source, client, log)
        except LoadError:
            raise
        except ProviderError as error:
            hint = "; set api_key" if "HTTP 401" in str(error) else ""
            message = f"no usable llama-server at {url}: {error}{hint}"
            raise LoadError(message, error.evidence) from None
        yield model


def _open(
    stack: ExitStack, spec: MeasurementSpec, source: Source, client: LlamaClient, log: Path
) -> AttachedModel:
    if client.props().get("role") == "router":
        return _open_routed(stack, spec, source, client, log)
    process = ServerProcess(client.address.base_url, client.listens)
    return AttachedModel(*look_at(spec, source, client, process))


def _open_routed(
    stack: ExitStack, spec: MeasurementSpec, source: Source, client: LlamaClient, log: Path
) -> RoutedModel:
    """Have a router load the cell's model for as long as the stack lasts."""
    place, url = source.place, client.address.base_url
    router = Router(client)
    name = router.canonical(spec.artifact.tag)

    def say(text: str) -> None:
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{visible(text, keep='')}\n")

    load_s = stack.enter_context(router.loading(name, place.exclusive, say))
    asked = stack.enter_context(closing(LlamaClient(url, place.api_key, model=name)))
    # The model's own process where visible: the router's memory is not the model's (T15).
    process = ServerProcess(router.address_of(name) or _UNSEEN, client.listens)
    return RoutedModel(router, name, load_s, *look_at(spec, source, asked, process))


def _wait_until_loaded(client: LlamaClient, url: str) -> None:
    def is_loaded() -> bool:
        if client.healthy():
            return True
        if client.listens():
            return False
        raise LoadError(
            f"connection refused at {url}; type: llama-server --model FILE --metrics --slots",
            Cause.GONE,
        )

    if not wait_until(is_loaded, LOAD_TIMEOUT_S, _POLL_S):
        raise LoadError(f"{url}: not loaded after {LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT)
