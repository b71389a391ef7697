"""A `llama-server` in router mode: one address, several models, each in a process of its own.

A cell's model is loaded for the cell and unloaded after it. Models that other clients have loaded
stop the cell with an error, unless the config says that the server is not shared (`exclusive`). A
model that the router unloads in the meantime is not reloaded by our requests (`autoload=false`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.processes.port_owner import listening_pid
from orket_lib.processes.waiting import wait_until
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.model import Explain
from orket_lib.providers.wire.json_fields import section
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S
from orket_lib.vocabulary.reasons import Reason

_UNLOAD_TIMEOUT_S = 30.0
_POLL_S = 0.02  # the resolution of a cold load time
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
            LoadError: The router has no model of that name, or the cell has no name.
        """
        models = self._client.models()
        for model in models:
            if name in (model["id"], *(model.get("aliases") or ())):
                return str(model["id"])
        listed = ", ".join(f"`{model['id']}`" for model in models) or "no models"
        missing = f"not `{name}`" if name else "so cells need tag_template, not artifact_template"
        raise LoadError(f"{self._url} is a router with {listed}, {missing}", Cause.NOT_OFFERED)

    def loaded(self) -> list[str]:
        """Return the models that are in memory now."""
        return [model["id"] for model in self._client.models() if _status(model) not in _IDLE]

    @contextmanager
    def loading(self, name: str, exclusive: bool, say: Callable[[str], None]) -> Iterator[float]:
        """Load a model until the context ends; yield how long that took, in seconds.

        Raises:
            LoadError: It does not load, or other models are loaded and must not be unloaded.
        """
        others = self.loaded()
        if others and not exclusive:
            listed = ", ".join(f"`{other}`" for other in others)
            raise LoadError(
                f"{self._url} has {listed} loaded by another client; unload it, or set "
                "exclusive: true to have it unloaded",
                Cause.OCCUPIED,
            )
        for other in others:
            self._unload(other)
            say(f"unloaded `{other}`, which another client had loaded")
        begin = time.perf_counter()
        self._client.load_model(name)
        try:
            self._wait_until_loaded(name)
            yield time.perf_counter() - begin
        finally:
            with suppress(ProviderError):  # it is gone already
                self._unload(name)

    def explained(self, name: str, process: Explain) -> Explain:
        """Return the function that recognizes an unloaded model behind a failed request.

        Args:
            name: Of the model.
            process: Recognizes the crash of the model's process.
        """

        def explain(error: ProviderError) -> ProviderError:
            with suppress(ProviderError):
                if wait_until(lambda: name not in self.loaded(), _DYING_S, _POLL_S):
                    message = f"the router no longer has `{name}` loaded ({error})"
                    return ServerCrashed(message, Cause.NOT_OFFERED)
            return process(error)

        return explain

    def disturbances(self, name: str) -> Iterator[Observation]:
        """Yield the models that other clients have loaded in addition to ours."""
        with suppress(ProviderError):
            others = [f"`{other}`" for other in self.loaded() if other != name]
            if others:
                evidence = f"{', '.join(others)} was loaded by another client"
                yield Observation.of(Reason.FOREIGN_REQUESTS, evidence)

    def address_of(self, name: str) -> str | None:
        """Return the address of a model's process; None where that is not visible from here."""
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
        """Unload a model and wait until it is gone.

        Raises:
            LoadError: It stays loaded.
        """
        self._client.unload_model(name)
        if not wait_until(lambda: name not in self.loaded(), _UNLOAD_TIMEOUT_S, _POLL_S):
            message = f"{self._url}: `{name}` is still loaded after {_UNLOAD_TIMEOUT_S:g} s"
            raise LoadError(message, Cause.OCCUPIED)

    def _wait_until_loaded(self, name: str) -> None:
        def is_loaded() -> bool:
            found = [model for model in self._client.models() if model["id"] == name]
            status = section(found[0], "status") if found else {}
            if status.get("value") == "loaded":
                return True
            if status.get("failed"):
                code = status.get("exit_code")  # 1, whatever the reason
                message = f"the router could not load `{name}`: its server ended with {code}"
                raise LoadError(message, Cause.ANSWERED)
            return False

        if not wait_until(is_loaded, LOAD_TIMEOUT_S, _POLL_S):
            raise LoadError(f"`{name}` is not loaded after {LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT)


def _status(model: dict[str, Any]) -> str:
    return str(section(model, "status").get("value", "unknown"))
