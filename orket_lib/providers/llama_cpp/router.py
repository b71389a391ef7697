"""A `llama-server` in router mode: one address, several models, each in a process of its own.

Here a model is loaded for its cell and unloaded after it, and only that one: what somebody else has
loaded stops the cell by name, unless the server is ours alone (`exclusive`). A model that the
router gave up meanwhile is not loaded again behind our back: requests say so (`autoload=false`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.processes.port_owner import listening_pid
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.model import Explain
from orket_lib.providers.wire.json_fields import section
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.reasons import Reason

_LOAD_TIMEOUT_S = 1800.0
_UNLOAD_TIMEOUT_S = 30.0
_POLL_S = 0.02  # what a cold load time is exact to
_DYING_S = 0.3
_IDLE = ("unloaded", "downloaded", "unknown")


class Router:
    """A router's list of models.

    Args:
        client: Of the router.
    """

    def __init__(self, client: LlamaClient) -> None:
        self._client = client
        self._url = client.address.base_url

    def canonical(self, name: str | None) -> str:
        """Return the router's own name of a model.

        Raises:
            LoadError: It has none of that name, or the cell has no name.
        """
        models = self._client.models()
        for model in models:
            if name in (model["id"], *(model.get("aliases") or ())):
                return str(model["id"])
        listed = ", ".join(f"`{model['id']}`" for model in models) or "no models"
        asked = (
            f"not `{name}`"
            if name
            else "and tag_template, without artifact_template, names a cell's"
        )
        raise LoadError(f"{self._url} is a router with {listed}, {asked}", Cause.NOT_OFFERED)

    def loaded(self) -> list[str]:
        """Return the models that take memory now."""
        return [model["id"] for model in self._client.models() if _status(model) not in _IDLE]

    @contextmanager
    def loading(self, name: str, exclusive: bool, say: Callable[[str], None]) -> Iterator[float]:
        """Load a model until the context ends; yields how long that took, in seconds.

        Raises:
            LoadError: It does not load, or others are loaded that are not ours to unload.
        """
        others = self.loaded()
        if others and not exclusive:
            listed = ", ".join(f"`{other}`" for other in others)
            raise LoadError(
                f"{self._url} has {listed} loaded by somebody else; unload it, or set "
                "exclusive: true and we do",
                Cause.OCCUPIED,
            )
        for other in others:
            self._unload(other)
            say(f"unloaded `{other}`, which somebody else had loaded")
        begin = time.perf_counter()
        self._client.load_model(name)
        try:
            self._wait_until_loaded(name)
            yield time.perf_counter() - begin
        finally:
            with suppress(ProviderError):  # it is gone already
                self._unload(name)

    def explained(self, name: str, process: Explain) -> Explain:
        """Return what tells a failed request from a model that the router no longer has.

        Args:
            name: Of the model.
            process: Tells it from the death of the model's process.
        """

        def explain(error: ProviderError) -> ProviderError:
            deadline = time.monotonic() + _DYING_S
            with suppress(ProviderError):
                while name in self.loaded():
                    if time.monotonic() > deadline:
                        return process(error)
                    time.sleep(_POLL_S)
                told = f"the router no longer has `{name}` loaded ({error})"
                return ServerCrashed(told, Cause.NOT_OFFERED)
            return process(error)

        return explain

    def disturbances(self, name: str) -> Iterator[Observation]:
        """Yield that others have loaded something beside our model."""
        with suppress(ProviderError):
            others = [f"`{other}`" for other in self.loaded() if other != name]
            if others:
                evidence = f"{', '.join(others)} was loaded by somebody else"
                yield Observation.of(Reason.FOREIGN_REQUESTS, evidence)

    def address_of(self, name: str) -> str | None:
        """Return where the process of a model listens; None where it can't be seen from here."""
        pid = listening_pid(self._url)
        try:
            for child in psutil.Process(pid).children() if pid else ():
                words = child.cmdline()
                if "--alias" in words and words[words.index("--alias") + 1] == name:
                    ports = [
                        found.laddr.port
                        for found in child.net_connections("tcp")
                        if found.status == psutil.CONN_LISTEN
                    ]
                    return f"http://127.0.0.1:{ports[0]}" if ports else None
        except psutil.Error:
            return None
        return None

    def _unload(self, name: str) -> None:
        """Unload a model and see that it is.

        Raises:
            LoadError: The router keeps it.
        """
        self._client.unload_model(name)
        deadline = time.monotonic() + _UNLOAD_TIMEOUT_S
        while name in self.loaded():
            if time.monotonic() > deadline:
                told = f"{self._url} keeps `{name}` loaded, {_UNLOAD_TIMEOUT_S:g} s long"
                raise LoadError(told, Cause.OCCUPIED)
            time.sleep(_POLL_S)

    def _wait_until_loaded(self, name: str) -> None:
        deadline = time.monotonic() + _LOAD_TIMEOUT_S
        while True:
            found = [model for model in self._client.models() if model["id"] == name]
            status = section(found[0], "status") if found else {}
            if status.get("value") == "loaded":
                return
            if status.get("failed"):
                code = status.get("exit_code")
                told = f"the router could not load `{name}`: its server ended with {code}"
                raise LoadError(told, Cause.ANSWERED)  # 1, whatever it ended by
            if time.monotonic() > deadline:
                raise LoadError(
                    f"`{name}` is not loaded after {_LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT
                )
            time.sleep(_POLL_S)


def _status(model: dict[str, Any]) -> str:
    return str(section(model, "status").get("value", "unknown"))
