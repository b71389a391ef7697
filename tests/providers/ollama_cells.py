"""Cells of a simulated Ollama, and a model of it being served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders import spec
from ollama_running import SimulatedOllama

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.ollama.provider import OllamaModel, OllamaProvider

WORDS = "words:7b"  # a scripted model: a word is a token
QUESTION = GenerationRequest("How many?", 20, 0.0, seed=7, timeout_s=10.0)
BARE = GenerationRequest("a b c d e f", 20, 0.0, seed=7, timeout_s=10.0, ignore_eos=True)


def tagged(tag: str = WORDS, pin: str | None = None, **changes: Any) -> RunSpec:
    """Return the spec of a cell with a tag."""
    values: dict[str, Any] = {
        "provider": "ollama",
        "provider_version": None,
        "artifact": ArtifactIdentity(tag=tag, pin=pin),
        "controls": ControlSettings(seed=7),
        "n_ctx": 1024,
    }
    return spec(**(values | changes))


def source(server: SimulatedOllama, **changes: Any) -> Source:
    """Return from where its cells are served."""
    return Source(None, ServerLocation(**({"base_url": server.url} | changes)))


@contextmanager
def serving(
    server: SimulatedOllama, folder: Path, wanted: RunSpec | None = None, **place: Any
) -> Iterator[OllamaModel]:
    """Serve a cell of it."""
    found = source(server, **place)
    with OllamaProvider().serve(wanted or tagged(), found, folder / "server.log") as model:
        yield model
