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
from pathlib import Path
from typing import Any

import psutil

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.processes.json_child import kill
from orket_lib.processes.process_end import wait_for_end
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.log import end_seen, starved_in, tail_of
from orket_lib.providers.llama_cpp.model import (
    Death,
    LlamaModel,
    explained_by,
    explaining,
    read_back,
    read_controls,
)
from orket_lib.providers.watched_file import watched_file
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import cpus_of

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
                [sys.executable, "-m", "orket_lib.providers.llama_cpp.embedded_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
            )
        client, death = None, _Life(child).death
        explain = explained_by(death, log)
        try:
            with watched_file(artifact):
                answer = _converse(child, _settings(spec, artifact, key), death, log)
                client = LlamaClient(answer["address"], key)
                if not client.healthy():
                    silent = LoadError("the server started and does not answer", Cause.TIMEOUT)
                    raise explain(silent)
                load_s = time.perf_counter() - begin
                with explaining(explain):
                    props = client.props()
                    served = read_back(props, artifact, _build(props), vram=Null("NO_GPU_USED"))
                    controls = tuple(read_controls(spec.controls, client, child.pid, log))
                load = LoadTimes.of(load_seconds=load_s, model_seconds=answer["model_seconds"])
                yield LlamaModel(client, child.pid, served, controls, load, explain)
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


def _converse(
    child: subprocess.Popen[bytes], settings: dict[str, Any], death: Death, log: Path
) -> dict[str, Any]:
    """Send the settings and return the child's answer.

    Args:
        child: The server's process.
        settings: Of the server.
        death: Waits for its end.
        log: Its messages.

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
        told = f"not loaded after {_LOAD_TIMEOUT_S:g} s"
        raise LoadError(told, Cause.TIMEOUT) from None
    if not line:
        ended = death(_STOP_TIMEOUT_S)
        raise LoadError(
            f"{ended or 'the server closed its pipe'} while loading",
            end_seen(ended, log, Phase.LOADING) if ended else Cause.UNKNOWN,
        )
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        told = str(answer["error"])
        starved = starved_in(f"{told}\n{tail_of(log)}")
        cause = Cause.NOT_LOADED if answer["installed"] else Cause.NOT_SET_UP
        raise LoadError(told, FailureEvidence(cause, starved=starved))
    return answer


def _build(props: dict[str, Any]) -> str:
    from importlib.metadata import version

    return f"xllamacpp {version('xllamacpp')}, llama.cpp {props.get('build_info')}"


class _Life:
    """The life of a child, whose end is seen once and known from then on."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self._started_s = time.perf_counter()
        self._ending: Ending | None = None

    def death(self, within_s: float) -> Ending | None:
        """Return how the child ended, or None when it runs for so much longer."""
        if self._ending is None:
            end, child = wait_for_end(self._child, within_s), self._child
            lived_s = time.perf_counter() - self._started_s
            self._ending = end and Ending(end.code, lived_s, child.pid, end.peak_rss_mib)
        return self._ending


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child: close its input, which it obeys, and kill it if it doesn't."""
    if child.stdin:
        with suppress(OSError):  # an unsent byte to a dead child
            child.stdin.close()
    try:
        child.wait(timeout=_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        kill(child)
    if child.stdout:  # only now: somebody may still be reading from it
        child.stdout.close()
