"""How a llama.cpp server has loaded its model, by its own log: KV cache, batches, threads, layers.

A build that tries several contexts before it settles logs them all, so that only what stands after
the last one begins counts. Caches of a model with two kinds of attention add up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from orket_lib.artifacts.measurements.serving import KvCache
from orket_lib.artifacts.measurements.spec import LOAD_FLAGS, MeasurementSpec
from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.providers.gguf.memory_estimate import ModelShape

SOURCE = "the server's own log"

_BEGIN = re.compile(r"constructing llama_context")
_CACHE = re.compile(
    r"kv_cache\w*: +size = +([\d.]+) MiB \( *(\d+) cells.*"
    r"K \((\w+)\): +[\d.]+ MiB, V \((\w+)\): +[\d.]+ MiB"
)
_THREADS = re.compile(r"n_threads = (\d+)")
_NUMBERS = {
    "batch_size": re.compile(r"llama_context: n_batch += (\d+)"),
    "ubatch_size": re.compile(r"llama_context: n_ubatch += (\d+)"),
}
_FLASH = re.compile(
    r"llama_context: flash_attn += (enabled|disabled|auto|1|0)"
    r"|Flash Attention (?:was auto, set to )?(enabled|disabled)"
)
_FLASH_WORDS = {"enabled": "on", "1": "on", "disabled": "off", "0": "off", "auto": "auto"}
_LAYERS = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")
_BUFFER = re.compile(r" (\S+) +(model|KV|RS|output|compute) buffer size +=")


def threads_in(log: Path) -> int | None:
    """Return the threads of a server; None where it doesn't log them."""
    found = _THREADS.findall(_text(log))
    return int(found[-1]) if found else None


def kv_cache_in(log: Path, shape: ModelShape | None) -> KvCache | None:
    """Return the KV cache of a server; None where it doesn't log one.

    Args:
        log: Of the server.
        shape: Of its model; None when unknown.
    """
    caches = _CACHE.findall(_last_context(_text(log)))
    if not caches:
        return None
    _, cells, type_k, type_v = caches[0]
    computed = None
    if shape and not shape.upper_bound and len(caches) == 1:
        computed = shape.cache_mib(int(cells), type_k, type_v)
    return KvCache(
        type_k=type_k,
        type_v=type_v,
        cells=int(cells),
        mib=sum(float(size) for size, *_ in caches),
        computed_mib=computed,
    )


def in_main_memory(log: Path) -> bool:
    """Tell whether all buffers that a server logs are in main memory, from the weights' on.

    A build with GPU support computes prompts on the GPU even if no layer is there.
    """
    buffers = _BUFFER.findall(_text(log))
    whole = {"model", "compute"} <= {kind for _, kind in buffers}
    return whole and all(place.startswith("CPU") for place, _ in buffers)


def load_readbacks(spec: MeasurementSpec, log: Path | None) -> Iterator[ControlReadback]:
    """Yield the read-back of each setting of the load that the spec names.

    Args:
        spec: With the settings.
        log: Of the server, where we started it.
    """
    asked = {name: getattr(spec, name) for name in LOAD_FLAGS}
    if all(value is None for value in asked.values()):
        return
    text = _text(log) if log else ""
    found = _found(text)
    for name, value in asked.items():
        if value is None:
            continue
        applied = found.get(name)
        held = applied is not None and applied == str(value)
        if name == "flash_attn" and value == "auto":
            held = applied is not None
        layers = _LAYERS.findall(text)
        if name == "gpu_layers" and layers:  # more than there are means all of them
            held = applied == str(min(value, int(layers[-1][1])))
        yield ControlReadback(
            name=name, requested=str(value), applied=applied, held=held, source=SOURCE
        )


def _found(text: str) -> dict[str, str]:
    """Return what a log says of the settings of the load, in the words of the config."""
    found: dict[str, str] = {}
    last = _last_context(text)
    cache = _CACHE.search(last)
    if cache:
        found |= {"cache_type_k": cache[3], "cache_type_v": cache[4]}
    for name, pattern in _NUMBERS.items():
        if number := pattern.search(last):
            found[name] = number[1]
    if flash := _FLASH.findall(last):
        found["flash_attn"] = _FLASH_WORDS[flash[-1][0] or flash[-1][1]]
    if layers := _LAYERS.findall(text):
        found["gpu_layers"] = layers[-1][0]
    elif any(
        kind == "model" for _, kind in _BUFFER.findall(text)
    ):  # a build without GPU support says where weights are, and no more
        found["gpu_layers"] = "0"
    return found


def _last_context(text: str) -> str:
    begins = [found.start() for found in _BEGIN.finditer(text)]
    return text[begins[-1] :] if begins else text


def _text(log: Path) -> str:
    return log.read_bytes().decode(errors="replace")
