"""The memory guard of the search: numbers of layers that can't fit are not tried.

Layers go to the GPU from the last to the first, the output layer before all others. Their weights
are counted in the file; each takes its share of the KV cache with it, and the GPU has a buffer for
a batch. What a driver or a context of its own takes is not in it: a load that fails says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.preflight.memory import FreeMemory
from orket_lib.providers.gguf.file import GgufFacts
from orket_lib.providers.gguf.memory_estimate import memory_need, shape_of
from orket_lib.vocabulary.units import MIB, MIB_PER_GIB

# Arguments that put weights, or the KV cache, elsewhere than their layers.
_PLACING = frozenset(
    ("-ot", "--override-tensor", "-cmoe", "--cpu-moe", "-ncmoe", "--n-cpu-moe", "-nkvo")
) | {"--no-kv-offload", "-md", "--model-draft", "--mmproj", "-mm"}


@dataclass(frozen=True)
class Bounds:
    """The numbers of layers that may fit.

    Attributes:
        least, most: Both included.
        why: Why fewer or more are not tried.
    """

    least: int
    most: int
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """The memory of a model by where it is, in MiB."""

    gpu_mib: float
    main_mib: float


def split_at(facts: GgufFacts, spec: MeasurementSpec, layers: int) -> Split:
    """Return the memory of a model with so many layers on the GPU.

    Args:
        facts: Of its file, whose layers are known.
        spec: With its context and the types of its KV cache.
        layers: The output layer included.
    """
    cache = (spec.n_ctx, spec.cache_type_k, spec.cache_type_v)
    need = memory_need(facts.bytes, shape_of(facts.metadata), *cache)
    blocks = len(facts.layers) - 1
    weights = sum(facts.layers[len(facts.layers) - layers :]) / MIB
    # A bound of the cache from above could rule out what fits.
    cached = 0.0 if need.upper_bound else need.cache_mib or 0.0
    share = max(0, layers - 1) / blocks
    compute = need.compute_mib or 0.0
    return Split(
        gpu_mib=weights + share * cached + compute if layers else 0.0,
        main_mib=need.weights_mib - weights + (1 - share) * cached,
    )


def bounds_of(
    facts: GgufFacts, spec: MeasurementSpec, free_gpu: FreeMemory | None, free_main: FreeMemory
) -> Bounds:
    """Return which numbers of layers may fit.

    Args:
        facts: Of the model's file.
        spec: What is served.
        free_gpu: Free memory of the server's GPUs; None if unknown.
        free_main: Free main memory.
    """
    every = range(len(facts.layers) + 1)
    if not _PLACING.isdisjoint(spec.server_args):
        return Bounds(0, every[-1], ("server_args place parts of the model by themselves",))
    splits = [split_at(facts, spec, layers) for layers in every]
    room, where = _room(spec, free_gpu)
    most = max((it for it in every if splits[it].gpu_mib <= room), default=0)
    least = min((it for it in every if splits[it].main_mib <= free_main.free_mib), default=most)
    least = min(least, most)

    def why() -> Iterator[str]:
        if most < every[-1]:
            yield f"{most + 1} take about {splits[most + 1].gpu_mib:.0f} MiB, {where}"
        if least:
            needs = splits[least - 1].main_mib
            yield (
                f"{least - 1} leave about {needs:.0f} MiB to main memory, where "
                f"{free_main.free_mib:.0f} are free"
            )

    return Bounds(least, most, tuple(why()))


def _room(spec: MeasurementSpec, free: FreeMemory | None) -> tuple[float, str]:
    """Return the GPU memory that may be taken in MiB, and what limits it."""
    wanted = spec.offload.vram_gib if spec.offload else None
    limits = [] if free is None else [(free.free_mib, f"are free in {free.name}")]
    limits += [] if wanted is None else [(wanted * MIB_PER_GIB, "are wanted at most")]
    room, words = min(limits, default=(float("inf"), ""))
    return room, f"and {room:.0f} {words}"
