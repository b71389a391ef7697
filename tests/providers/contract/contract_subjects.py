"""Who the contract is held against: add a subject to `SUBJECTS`, and the whole suite runs on it.

A subject serves the reference model in some way. What not every server can do is a `Can`; a test of
something that the subject can't do demands that it says so (None, a null) instead of guessing.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from nano import nano_file, nano_spec
from ollama_running import SimulatedOllama, simulated_ollama
from real_llama_server import LLAMA_SERVER, llama_server_of_others, unused_address
from simulated_servers import Program, program

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, MeasurementSpec
from orket_lib.providers.base import (
    Generation,
    GenerationRequest,
    Model,
    Provider,
    RunningModel,
    Source,
)
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.llama_cpp.server import LlamaServerProvider
from orket_lib.providers.lmstudio.provider import LmStudioProvider
from orket_lib.providers.ollama.provider import OllamaModel, OllamaProvider
from orket_lib.providers.openai.provider import OpenAiProvider

N_CTX = 1024


class Can(StrEnum):
    """What some providers can and others can't."""

    COUNT_TOKENS = "count the tokens of a text"
    IGNORE_EOS = "generate exactly as many tokens as asked for"
    TELL_TIMES = "tell its own times of prompt and generation"
    TELL_CACHED = "tell how many prompt tokens came from its cache"
    TELL_QUANT = "tell the quant that it serves"
    SET_CONTEXT = "serve the context that is asked for"
    HOLD_SEED = "read back the seed that it uses"
    LOAD = "load the model, and unload it afterwards"
    OWN_PROCESS = "start a server of its own, which ends with it"


EVERYTHING = frozenset(Can)
ATTACHED = EVERYTHING - {Can.LOAD, Can.OWN_PROCESS, Can.SET_CONTEXT}


def kill_by_pid(model: Model) -> None:
    """Kill the serving process, as the kernel does when memory runs out."""
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Stage:
    """A provider with something to serve.

    Attributes:
        provider: Of the subject.
        spec: Of a cell of the reference model, with `N_CTX` as its context where it can be set.
        source: From where that is served.
        refused: Other cells, by what is wrong with them, that must not load: (spec, source).
        kill: Makes the server die while it serves a model.
    """

    provider: Provider
    spec: MeasurementSpec
    source: Source
    refused: Mapping[str, tuple[MeasurementSpec, Source]] = field(default_factory=dict)
    kill: Callable[[Model], None] = kill_by_pid


@dataclass(frozen=True)
class Subject:
    """One way to serve.

    Attributes:
        name: In the ids of the tests.
        stage: Sets everything up below a folder of its own, and takes it down again.
        can: What it can.
        missing: Why it can't be tried here; None when it can.
    """

    name: str
    stage: Callable[[Path], AbstractContextManager[Stage]]
    can: frozenset[Can] = EVERYTHING
    missing: Callable[[], str | None] = lambda: None


@contextmanager
def embedded(folder: Path) -> Iterator[Stage]:
    """Stage the embedded server."""
    spec = nano_spec("Q8_0", n_ctx=N_CTX)
    yield Stage(EmbeddedProvider(), spec, Source(nano_file("Q8_0")), bad_files(spec, folder))


def bad_files(
    spec: MeasurementSpec, folder: Path, source: Source | None = None
) -> dict[str, tuple[MeasurementSpec, Source]]:
    """Return cells of files that can't be loaded, from the same place as `source`."""
    whole = nano_file("Q8_0").read_bytes()
    contents = {"no model at all": b"nothing " * 64, "half a model": whole[: len(whole) // 2]}
    refused = {}
    for name, content in contents.items():
        path = folder / f"{name.replace(' ', '_')}.gguf"
        path.write_bytes(content)
        refused[name] = (spec, Source(path, source.place) if source else Source(path))
    return refused


def no_llama_server() -> str | None:
    """Return why there is no real `llama-server` to try, or None when there is one."""
    if os.environ.get(LLAMA_SERVER):
        return None
    return f"needs a real llama-server: {LLAMA_SERVER} names its binary (.ci/build_llama_server)"


@contextmanager
def llama_server(folder: Path) -> Iterator[Stage]:
    """Stage a `llama-server` that is started for each cell."""
    spec = nano_spec("Q8_0", n_ctx=N_CTX, provider="llama_server")
    source = Source(nano_file("Q8_0"), ServerLocation(server_binary=os.environ[LLAMA_SERVER]))
    unknown = spec.model_copy(update={"server_args": ("--no-such-flag",)})
    refused = bad_files(spec, folder, source) | {"an unknown flag": (unknown, source)}
    yield Stage(LlamaServerProvider(), spec, source, refused)


@contextmanager
def running_llama_server(folder: Path) -> Iterator[Stage]:
    """Stage a `llama-server` that runs already, and is not ours."""
    arguments = ("--ctx-size", str(N_CTX))
    with llama_server_of_others(nano_file("Q8_0"), folder, *arguments) as address:
        yield _attached(ServerLocation(base_url=address))


@contextmanager
def routing_llama_server(folder: Path) -> Iterator[Stage]:
    """Stage a `llama-server` that is a router over several models."""
    models = folder / "models"
    models.mkdir()
    for tag in ("Q8_0", "Q2_K"):
        shutil.copy2(nano_file(tag), models)
    (models / "broken.gguf").write_bytes(b"nothing " * 64)
    # The start of a process is known to a second only, and its files must be older.
    os.utime(models, (0, 0))

    def named(name: str | None) -> MeasurementSpec:
        controls = ControlSettings(seed=7)
        spec = nano_spec("Q8_0", n_ctx=N_CTX, provider="llama_server", controls=controls)
        return spec.model_copy(update={"artifact": ArtifactIdentity(tag=name)})

    with llama_server_of_others(models, folder, "--ctx-size", str(N_CTX)) as address:
        source = Source(None, ServerLocation(base_url=address))
        names = {"another name": "no-such-name", "no name": None, "no model at all": "broken"}
        refused = {what: (named(name), source) for what, name in names.items()}
        yield Stage(LlamaServerProvider(), named("orket-nano-Q8_0"), source, refused)


@contextmanager
def running_embedded(folder: Path) -> Iterator[Stage]:
    """Stage the server that we know best as a foreign one: it answers the same routes."""
    spec = nano_spec("Q8_0", n_ctx=N_CTX)
    log = folder / "of_others.log"
    with EmbeddedProvider().serve(spec, Source(nano_file("Q8_0")), log) as model:
        yield _attached(
            ServerLocation(base_url=model.address.base_url, api_key=model.address.api_key)
        )


def _attached(place: ServerLocation) -> Stage:
    """Return the stage of a server at some place that serves the reference model in Q8_0."""
    held: dict[str, Any] = {
        "provider": "llama_server",
        "controls": ControlSettings(seed=7),
        "n_ctx": N_CTX,
    }
    spec, other = nano_spec("Q8_0", **held), nano_spec("Q2_K", **held)
    named = spec.model_copy(update={"artifact": ArtifactIdentity(tag="no-such-name")})
    missing = Source(nano_file("Q8_0"), ServerLocation(base_url=unused_address()))
    refused = {
        "another file": (other, Source(nano_file("Q2_K"), place)),
        "another name": (named, Source(None, place)),
        "no server": (spec, missing),
    }
    return Stage(LlamaServerProvider(), spec, Source(nano_file("Q8_0"), place), refused)


class _Revived(OllamaProvider):
    """Ollama under a supervisor: one that a test killed is there again for the next."""

    def __init__(self, server: SimulatedOllama) -> None:
        self._server = server

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[OllamaModel]:
        if self._server.process.poll() is not None:
            self._server.start()
        with super().serve(spec, source, log) as model:
            yield model


@contextmanager
def ollama(folder: Path) -> Iterator[Stage]:
    """Stage a simulated Ollama."""
    broken = folder / "broken.gguf"
    broken.write_bytes(b"nothing " * 64)
    models = {
        "orket-nano:q8_0": {"file": str(nano_file("Q8_0"))},
        "orket-broken:latest": {"file": str(broken), "quant": "Q8_0"},
        "orket-large:120b-cloud": {"remote": "https://ollama.com:443"},
    }
    names = {
        "a tag that is not pulled": "orket-nano:q4_K_M",
        "no model at all": "orket-broken",
        "a model in the cloud": "orket-large:120b-cloud",
    }

    def tagged(tag: str) -> MeasurementSpec:
        artifact = ArtifactIdentity(tag=tag)
        spec = nano_spec("Q8_0", n_ctx=N_CTX, provider="ollama")
        return spec.model_copy(update={"artifact": artifact})

    with simulated_ollama(models) as server:
        source = Source(None, ServerLocation(base_url=server.url))
        refused = {what: (tagged(tag), source) for what, tag in names.items()}
        refused["no server"] = (
            tagged("orket-nano:q8_0"),
            Source(None, ServerLocation(base_url=unused_address())),
        )
        yield Stage(_Revived(server), tagged("orket-nano:q8_0"), source, refused)


class _Supervised:
    """A provider of a simulator under a supervisor: one that a test killed is there again."""

    def __init__(self, provider: Provider, server: Program) -> None:
        self._provider = provider
        self._server = server

    def serve(
        self, spec: MeasurementSpec, source: Source, log: Path
    ) -> AbstractContextManager[Model]:
        if not self._server.alive:
            self._server.start()
        return self._provider.serve(spec, source, log)

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        return self._provider.catalog(base_url, api_key, closely)

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        return self._provider.ask(model, request)


@contextmanager
def vllm(folder: Path) -> Iterator[Stage]:
    """Stage a simulated vLLM, which serves one model and is not ours."""
    arguments = ("--model", "orket-nano=Q8_0", "--n-ctx", str(N_CTX))
    with program("openai_server.py", *arguments) as server:
        yield _named("openai", OpenAiProvider(), server, "orket-nano")


@contextmanager
def lmstudio(folder: Path) -> Iterator[Stage]:
    """Stage a simulated LM Studio, which loads on request."""
    with program("lmstudio_server.py", "--model", "orket-nano@q8_0=Q8_0") as server:
        yield _named("lmstudio", LmStudioProvider(), server, "orket-nano@q8_0")


def _named(name: str, provider: Provider, server: Program, tag: str) -> Stage:
    """Return the stage of a simulator that has the reference model in Q8_0 under a tag."""

    def tagged(tag: str) -> MeasurementSpec:
        controls = ControlSettings(seed=7)
        spec = nano_spec("Q8_0", n_ctx=N_CTX, provider=name, controls=controls)
        return spec.model_copy(update={"artifact": ArtifactIdentity(tag=tag)})

    source = Source(None, ServerLocation(base_url=server.base_url))
    refused = {
        "another name": (tagged("no-such-name"), source),
        "no server": (tagged(tag), Source(None, ServerLocation(base_url=unused_address()))),
    }
    return Stage(_Supervised(provider, server), tagged(tag), source, refused)


SUBJECTS: list[Subject] = [
    Subject("embedded", embedded),
    Subject("llama_server", llama_server, missing=no_llama_server),
    Subject("running_embedded", running_embedded, ATTACHED),
    Subject("running_llama_server", running_llama_server, ATTACHED, missing=no_llama_server),
    Subject(
        "routing_llama_server",
        routing_llama_server,
        ATTACHED | {Can.LOAD},
        missing=no_llama_server,
    ),
    Subject("ollama", ollama, EVERYTHING - {Can.COUNT_TOKENS, Can.IGNORE_EOS, Can.OWN_PROCESS}),
    Subject("vllm", vllm, ATTACHED - {Can.TELL_TIMES, Can.TELL_QUANT}),
    Subject(
        "lmstudio",
        lmstudio,
        EVERYTHING
        - {Can.COUNT_TOKENS, Can.IGNORE_EOS, Can.TELL_TIMES, Can.TELL_CACHED, Can.OWN_PROCESS},
    ),
]
