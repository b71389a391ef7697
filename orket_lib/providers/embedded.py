"""Provider `embedded`: llama.cpp's own server, from PyPI's `xllamacpp`, in a child process.

A child process, because its memory can then be measured as the model's own (T15), and its crash is
only a crash of that child. It listens on a free loopback port behind a random API key.
"""

from __future__ import annotations

import json
import queue
import re
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

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.artifacts.run_report import ControlReadback, LoadTimes, Observation, ServedModel
from orket_lib.artifacts.spec import ControlSettings, MeasurementSpec
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.providers.gguf_file import read_gguf
from orket_lib.providers.llama_client import LlamaClient
from orket_lib.vocabulary.cpus import cpus_of
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import tag_of_ftype

_LOAD_TIMEOUT_S = 1800.0
_STOP_TIMEOUT_S = 5.0
_THREADS = re.compile(rb"n_threads = (\d+)")


class EmbeddedProvider:
    """Serves one GGUF file at a time in a child process."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[EmbeddedModel]:
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
            yield EmbeddedModel(child, client, spec, artifact, log, load)
        finally:
            if client:
                client.close()
            _stop(child)


class EmbeddedModel:
    """The model in the child process; see `Model`."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        client: LlamaClient,
        spec: MeasurementSpec,
        artifact: Path,
        log: Path,
        load: LoadTimes,
    ) -> None:
        self._child = child
        self._client = client
        self.pid = child.pid
        self.load = load
        self.served = _read_back(client, artifact)
        self.controls = tuple(_controls(spec.controls, client, child.pid, log))

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        try:
            return self._client.stream_chat(request)
        except RequestFailed as error:
            raise self._explained(error) from None

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        try:
            return self._client.count_tokens(text)
        except ProviderError as error:
            raise self._explained(error) from None

    def disturbances(self) -> tuple[Observation, ...]:
        """Nobody else knows this server: its key and port are random."""
        return ()

    def _explained(self, error: ProviderError) -> ProviderError:
        """Tell a failed request from a dead server; a dying one gets a moment to be dead."""
        try:
            code = self._child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            return error
        return ServerCrashed(f"the server ended with exit status {code} ({error})")


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


def _read_back(client: LlamaClient, artifact: Path) -> ServedModel:
    """Return what is served, from the server's mouth and the file's bytes."""
    props = client.props()
    facts = read_gguf(artifact)
    tag = tag_of_ftype(props.get("model_ftype"))
    return ServedModel.of(
        path=str(props.get("model_path") or artifact),
        # After the load on purpose: hashing first would warm the page cache under the load time.
        sha256=sha256_of_file(artifact),
        quant_tag=tag,
        quant_source="/props model_ftype" if tag else None,
        file_quant_tag=facts.quant_tag,
        bytes=artifact.stat().st_size,
        bits_per_weight=facts.bits_per_weight,
        n_ctx=props["default_generation_settings"]["n_ctx"],
        server_memory_mib=Null("NOT_REPORTED"),
        server_vram_mib=Null("NOT_REPORTED"),
        build=f"xllamacpp {_version()}, llama.cpp {props.get('build_info')}",
    )


def _controls(
    asked: ControlSettings, client: LlamaClient, pid: int, log: Path
) -> Iterator[ControlReadback]:
    """Yield what became of each control that the spec names."""
    if asked.seed is not None:
        seed = client.sampler_settings(asked.seed).get("seed")
        yield _readback("seed", asked.seed, seed, "generation_settings of /completion")
    if asked.threads is not None:
        found = _THREADS.findall(log.read_bytes())
        threads = int(found[-1]) if found else None
        yield _readback("threads", asked.threads, threads, "the server's own log")
    if asked.affinity_policy != "all":
        wanted = cpus_of(asked.affinity_policy)
        yield _readback("affinity_policy", wanted, _affinity(pid), "the operating system")


def _readback(name: str, requested: object, applied: object, source: str) -> ControlReadback:
    return ControlReadback(
        name=name,
        requested=str(requested),
        applied=None if applied is None else str(applied),
        held=applied == requested,
        source=source,
    )


def _affinity(pid: int) -> list[int] | None:
    try:
        return sorted(psutil.Process(pid).cpu_affinity() or [])
    except (psutil.Error, AttributeError):  # macOS has no affinity
        return None


def _version() -> str:
    from importlib.metadata import version

    return version("xllamacpp")


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
