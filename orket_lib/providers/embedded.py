"""Provider `embedded`: llama.cpp's own server, from PyPI's `xllamacpp`, in a child process.

A child process, because its memory can then be measured as the model's own (T15), and its crash is
only a crash of that child. It listens on a free loopback port behind a random API key.
"""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from orket_lib.artifacts.run_report import LoadTimes
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.providers.base import Source
from orket_lib.providers.llama_client import LlamaClient
from orket_lib.providers.llama_model import (
    LlamaModel,
    explained_by,
    read_back,
    read_controls,
)
from orket_lib.vocabulary.cpus import cpus_of
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.nulls import Null

_LOAD_TIMEOUT_S = 1800.0
_STOP_TIMEOUT_S = 5.0


class EmbeddedProvider:
    """Serves one GGUF file at a time in a child process."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LlamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        artifact = source.artifact
        assert artifact is not None
        begin = time.perf_counter()
        key = secrets.token_hex(16)
        with log.open("wb") as messages:
            child = subprocess.Popen(
                [sys.executable, "-m", "orket_lib.providers.embedded_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
            )
        client = None
        try:
            answer = _converse(child, _settings(spec, artifact, key))
            client = LlamaClient(answer["address"], key)
            if not client.healthy():
                raise LoadError("the server started and does not answer")
            load = LoadTimes.of(
                load_seconds=time.perf_counter() - begin, model_seconds=answer["model_seconds"]
            )
            props = client.props()
            yield LlamaModel(
                client,
                child.pid,
                read_back(props, artifact, _build(props), vram=Null("NO_GPU_USED")),
                tuple(read_controls(spec.controls, client, child.pid, log)),
                load,
                explained_by(partial(_death, child)),
            )
        finally:
            if client:
                client.close()
            _stop(child)


def _settings(spec: MeasurementSpec, artifact: Path, key: str) -> dict[str, Any]:
    threads = spec.controls.threads or psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return {
        "model": str(artifact),
        "n_ctx": spec.n_ctx or 0,
        "threads": threads,
        "cpus": cpus_of(spec.controls.affinity_policy),
        "api_key": key,
    }


def _converse(child: subprocess.Popen[bytes], settings: dict[str, Any]) -> dict[str, Any]:
    """Send the settings and return the child's answer.

    Raises:
        LoadError: The child died, failed, or said nothing in time.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(OSError):  # it is dead already, which the missing answer shows
        child.stdin.write(json.dumps(settings).encode() + b"\n")
        child.stdin.flush()
    lines: queue.Queue[bytes] = queue.Queue()
    answers = child.stdout
    threading.Thread(target=lambda: lines.put(answers.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=_LOAD_TIMEOUT_S)
    except queue.Empty:
        raise LoadError(f"not loaded after {_LOAD_TIMEOUT_S:g} s") from None
    if not line:
        raise LoadError(f"the server process ended with exit status {child.wait()} while loading")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LoadError(str(answer["error"]))
    return answer


def _build(props: dict[str, Any]) -> str:
    from importlib.metadata import version

    return f"xllamacpp {version('xllamacpp')}, llama.cpp {props.get('build_info')}"


def _death(child: subprocess.Popen[bytes], within_s: float) -> str | None:
    """Return how the child ended, or None when it runs for so much longer."""
    try:
        return f"the server ended with exit status {child.wait(timeout=within_s)}"
    except subprocess.TimeoutExpired:
        return None


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child: close its input, which it obeys, and kill it if it doesn't."""
    if child.stdin:
        with suppress(OSError):  # an unsent byte to a dead child
            child.stdin.close()
    try:
        child.wait(timeout=_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:  # only now: somebody may still be reading from it
        child.stdout.close()
