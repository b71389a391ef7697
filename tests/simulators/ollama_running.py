"""A simulated Ollama, running: started, steered and ended by a test."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("ollama_server.py")


class SimulatedOllama:
    """A simulated Ollama in a process of its own.

    Args:
        models: By tag: `{"file": path}` of the reference model, or `{}` for a scripted one.
        behaviour: What it does otherwise than a current server.

    Attributes:
        url: Its address.
        process: Itself.
    """

    def __init__(self, models: Mapping[str, Mapping[str, Any]], **behaviour: Any) -> None:
        self._models, self._behaviour = models, behaviour
        self._port = 0
        self.start()

    def start(self) -> None:
        """Start it, again on its port if it ran before."""
        if self._port:
            self._free()
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(_PROGRAM), "--port", str(self._port)),
                *("--models", json.dumps(self._models)),
                *("--behaviour", json.dumps(self._behaviour)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self._port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        """End it, and whatever it has loaded."""
        self._free()

    def _free(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def behave(self, **changes: Any) -> None:
        """Change what it does from now on."""
        self._ask("/simulator/behaviour", changes)

    def load(self, model: str) -> None:
        """Load a model for another client."""
        self._ask("/simulator/load", {"model": model})

    def unload(self, model: str) -> None:
        """Unload a model for another client."""
        self._ask("/simulator/unload", {"model": model})

    def keep(self, name: str, **facts: Any) -> None:
        """Have another model from now on, or another one under the same name."""
        self._ask("/simulator/keep", {"name": name, **facts})

    def forget(self, name: str) -> None:
        """Have a model no more."""
        self._ask("/simulator/forget", {"name": name})

    @property
    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """What was posted to it, as (path, body)."""
        return [(path, body) for path, body in self._ask("/simulator/requests")]

    @property
    def loads(self) -> int:
        """How often it loaded a model."""
        return int(self._ask("/simulator/loads"))

    @property
    def loaded(self) -> list[str]:
        """Names of the models in memory."""
        return [model["name"] for model in self._ask("/api/ps")["models"]]

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(f"{self.url}{path}", data), timeout=30) as answer:
            return json.loads(answer.read())


@contextmanager
def simulated_ollama(
    models: Mapping[str, Mapping[str, Any]], **behaviour: Any
) -> Iterator[SimulatedOllama]:
    """Run one until the context ends."""
    server = SimulatedOllama(models, **behaviour)
    try:
        yield server
    finally:
        server.close()
