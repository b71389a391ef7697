"""Simulators as programs of their own, for tests that need a process: see `tests/simulators`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIMULATORS = Path(__file__).parent / "simulators"


class Program:
    """A simulator that runs.

    Args:
        script: Its file name.
        arguments: Of its command line.

    Attributes:
        base_url: Its address, which it keeps when it is started again.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        self._command = [sys.executable, str(SIMULATORS / script), *arguments]
        self._port = "0"
        self.start()
        self.base_url = f"http://127.0.0.1:{self._port}"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def start(self) -> None:
        """Start it, once more at its address where it ran before."""
        self._process = subprocess.Popen(
            [*self._command, "--port", self._port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._port = self._process.stdout.readline().strip()
        assert self._port, "it did not start"

    def stop(self) -> None:
        """End it, as its parent's end would."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def lie(self, **lies: Any) -> None:
        """Let it misbehave from now on; see `simulator_http.Lies`."""
        self._call("POST", "/simulator/lies", lies)

    def requests(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies of all requests for a path."""
        asked = self._call("GET", "/simulator/requests")
        return [body for _, found, body in asked if found == path]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        import httpx

        with httpx.Client(trust_env=False, timeout=30.0) as client:
            response = client.request(method, f"{self.base_url}{path}", json=body)
        response.raise_for_status()
        return response.json()


@contextmanager
def program(script: str, *arguments: str) -> Iterator[Program]:
    """Run a simulator until the context ends."""
    running = Program(script, *arguments)
    try:
        yield running
    finally:
        running.stop()
