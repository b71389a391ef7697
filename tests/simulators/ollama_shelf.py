"""The models of the simulated Ollama: what it has, and what is loaded."""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gguf
from ollama_backends import Backend, Nano, Scripted
from ollama_behaviour import Behaviour

_UNLOAD_S = 0.05
_TRAINED_CONTEXT = 2048
_SCRIPTED_BYTES = 5_000_000
# A model's process dies with the thread that started it, and a request's thread ends with it.
_LOADER = ThreadPoolExecutor(max_workers=1)


@dataclass(frozen=True)
class Kept:
    """A model that the server has.

    Attributes:
        name: Its tag.
        file: Of the reference model; None for a scripted one.
        quant: Of the manifest, where it is not the file's.
        remote: Host that really runs it.
    """

    name: str
    file: str | None = None
    quant: str | None = None
    remote: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of its manifest."""
        content = Path(self.file).read_bytes() if self.file else (self.quant or "").encode()
        layer = hashlib.sha256(content).hexdigest()
        return hashlib.sha256(
            json.dumps({"layer": layer, "quant": self.quant}).encode()
        ).hexdigest()

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return Path(self.file).stat().st_size + 485 if self.file else _SCRIPTED_BYTES


@dataclass(eq=False)
class InMemory:
    """A model that is loaded."""

    kept: Kept
    backend: Backend
    n_ctx: int
    options: dict[str, Any]
    expires: datetime
    name: str


@dataclass
class Shelf:
    """All models, and the lock that makes requests one after the other."""

    kept: dict[str, Kept]
    behaviour: Behaviour = field(default_factory=Behaviour)
    memory: dict[str, InMemory] = field(default_factory=dict)
    loads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, name: str) -> Kept | None:
        """Return a model by its name, in which the tag may be left out."""
        return self.kept.get(name if ":" in name else f"{name}:latest")

    def ready(self, kept: Kept, options: dict[str, Any]) -> InMemory:
        """Return a model with these options, loaded anew if it has to be.

        Raises:
            RuntimeError: It doesn't load.
        """
        fixed = ("num_ctx", "num_thread")
        wanted = {key: value for key, value in options.items() if key in fixed}
        found = self.memory.get(kept.digest)
        if found and found.options != wanted:
            self.drop(kept.digest)
            found = None
        if found is None:
            found = self._load(kept, wanted)
        found.expires = datetime.now(UTC) + timedelta(minutes=10)
        return found

    def _load(self, kept: Kept, options: dict[str, Any]) -> InMemory:
        behaviour = self.behaviour
        if behaviour.load_error:
            raise RuntimeError(behaviour.load_error)
        self.loads += 1
        time.sleep(behaviour.load_s)
        asked = behaviour.context or options.get("num_ctx", 4096)
        n_ctx = min(asked, _TRAINED_CONTEXT)
        backend: Backend = Scripted(behaviour.tokens, behaviour.clock)
        if kept.file:
            threads = options.get("num_thread")
            backend = _LOADER.submit(Nano, kept.file, n_ctx, threads).result()
        name = behaviour.renames or kept.name
        loaded = InMemory(kept, backend, n_ctx, options, datetime.now(UTC), name)
        self.memory[kept.digest] = loaded
        return loaded

    def expire(self, kept: Kept) -> None:
        """Unload a model, which takes a moment."""
        found = self.memory.get(kept.digest)
        if found and not self.behaviour.never_unloads:
            threading.Timer(_UNLOAD_S, self.drop, (kept.digest, found)).start()

    def drop(self, digest: str, which: InMemory | None = None) -> None:
        """Unload a model now; of several loads of it only the one that is meant."""
        found = self.memory.get(digest)
        if found and which in (None, found):
            del self.memory[digest]
            found.backend.close()

    def close(self) -> None:
        """Unload everything."""
        for digest in list(self.memory):
            self.drop(digest)


def details(kept: Kept) -> dict[str, Any]:
    """Return the `details` of a model, as its manifest has them."""
    quant = kept.quant or (_file_quant(kept.file) if kept.file else "Q4_K_M")
    return {
        "parent_model": "",
        "format": "" if kept.remote else "gguf",
        "family": "llama",
        "families": ["llama"],
        "parameter_size": "3.44M",
        "quantization_level": quant,
    }


def file_facts(kept: Kept) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return `model_info` and `tensors` of a model, as its file has them."""
    if kept.file is None:
        return {"general.architecture": "llama", "llama.context_length": _TRAINED_CONTEXT}, []
    reader = gguf.GGUFReader(kept.file)
    info: dict[str, Any] = {}
    for name, found in reader.fields.items():
        if name.startswith(("GGUF.", "general.name", "tokenizer.chat_template")):
            continue
        content = found.contents()
        info[name] = None if isinstance(content, list) and len(content) > 5 else content
    weights = sum(math.prod(map(int, tensor.shape)) for tensor in reader.tensors)
    info["general.parameter_count"] = weights
    tensors = [
        {"name": tensor.name, "type": tensor.tensor_type.name, "shape": tensor.shape.tolist()}
        for tensor in reader.tensors
    ]
    return info, tensors


def _file_quant(file: str) -> str:
    found = gguf.GGUFReader(file).get_field("general.file_type")
    assert found is not None
    return gguf.LlamaFileType(int(found.contents())).name.removeprefix("MOSTLY_")
