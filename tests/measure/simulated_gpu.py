"""A GPU without a process: what `gpu_llama_server` serves in seconds, at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import generation, served, spec
from fake_provider import FakeModel
from gpu_llama_server import Gpu

from orket_lib.artifacts.measurements.offload import OffloadSearch
from orket_lib.artifacts.measurements.spec import MeasurementSpec, OffloadTargets, RunSpec
from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.measure.offload import search
from orket_lib.preflight.memory import FreeMemory
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.providers.gguf.file import GgufFacts
from orket_lib.vocabulary.errors import LoadError, RequestTimedOut
from orket_lib.vocabulary.failures import Cause, FailureEvidence, Starved
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB


def searching(decode_tps: float | None = None, vram_gib: float | None = None) -> RunSpec:
    """Return the spec of a cell that searches."""
    targets = OffloadTargets(decode_tps=decode_tps, vram_gib=vram_gib)
    return spec(provider="llama_server", gpu_layers="search", offload=targets)


class GpuModel(FakeModel):
    """Answers at the speed of its layers, with the noise of its machine."""

    def __init__(self, gpu: Gpu, layers: int, seed: int) -> None:
        super().__init__(lambda _: None, served())
        self._token_s, self._noise = gpu.token_s(layers), gpu.noise
        self._random = random.Random(f"{seed} {layers}")
        applied = {"others": str(max(0, layers - 1)), "silent": None}.get(
            gpu.lie or "", str(layers)
        )
        self.controls = (
            ControlReadback(
                name="gpu_layers",
                requested=str(layers),
                applied=applied,
                held=applied == str(layers),
                source="the server's own log",
            ),
        )

    def generate(self, request: GenerationRequest) -> Generation:
        if self._token_s * request.max_tokens > request.timeout_s:
            raise RequestTimedOut("too slow")
        count, token_s = request.max_tokens, self._token_s
        token_s *= max(0.5, self._random.gauss(1.0, self._noise))
        return generation(
            text="word " * count,
            chunk_s=tuple(0.01 + token_s * index for index in range(count)),
            usage={"prompt_tokens": 8, "completion_tokens": count, "total_tokens": 8 + count},
            timings={
                "cache_n": 0,
                "prompt_n": 8,
                "prompt_ms": 10.0,
                "predicted_ms": token_s * 1000 * (count - 1),
            },
        )


class GpuProvider:
    """Loads `GpuModel` where it fits."""

    def __init__(self, gpu: Gpu, seed: int, loads: list[int]) -> None:
        self._gpu, self._seed, self._loads = gpu, seed, loads

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[GpuModel]:
        layers = spec.asked_layers
        assert layers is not None
        self._loads.append(layers)
        if not self._gpu.fits(layers):
            evidence = FailureEvidence(Cause.ENDED, starved=Starved.GPU)
            raise LoadError("cudaMalloc failed: out of memory", evidence)
        yield GpuModel(self._gpu, layers, self._seed)


@dataclass
class OneGpu:
    """Searches on a GPU.

    Attributes:
        monkeypatch: Puts the GPU in the place of servers and drivers.
        folder: For logs, and the store.
        loads: Layers of each load so far.
    """

    monkeypatch: pytest.MonkeyPatch
    folder: Path
    loads: list[int] = field(default_factory=list)

    def vram(self) -> float | Null:
        """Return the GPU memory of the load under way."""
        return Null("NO_GPU")

    def search(
        self,
        gpu: Gpu,
        decode_tps: float | None = None,
        vram_gib: float | None = None,
        seed: int = 0,
        listed_mib: float | None = None,
    ) -> OffloadSearch:
        """Search for a cell.

        Args:
            gpu: What there is.
            decode_tps, vram_gib: Targets.
            seed: Of its noise.
            listed_mib: Free memory by its driver, where each layer's size is known beforehand.
        """
        provider = GpuProvider(gpu, seed, self.loads)
        size = 0 if listed_mib is None else round(gpu.layer_mib * MIB)
        facts = GgufFacts("Q4_K_M", 4.5, 1, size * gpu.layers, {}, layers=(size,) * gpu.layers)
        free = FreeMemory("a GPU", listed_mib or 0.0, on_gpu=listed_mib is not None)
        changes: dict[str, Any] = {
            "provider_for": lambda _: provider,
            "read_servable": lambda _: facts,
            "free_for_server": lambda *_: free,
            "free_main_memory": lambda: FreeMemory("main memory", 1e6, on_gpu=False),
            "_vram_mib": lambda *_: self.vram(),
        }
        for name, change in changes.items():
            self.monkeypatch.setattr(search, name, change)
        log, source = self.folder / "log", Source(Path("m.gguf"))
        found = search.found_layers(
            searching(decode_tps, vram_gib), source, log, self.folder, lambda _: None
        )
        assert found is not None
        return found
