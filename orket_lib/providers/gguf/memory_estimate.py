"""Estimate of the memory that a model needs, from its metadata, before it is loaded.

need = weights + KV cache + compute buffer + runtime. The KV cache of a transformer in 16-bit floats
is known to the byte: 2 bytes x context x the sum over its layers of
KV heads x (key length + value length). The compute buffer is what llama.cpp allocates for a batch
of 512 tokens: 4 bytes x 512 x (vocabulary + width), with flash attention, its default where the
device supports it. Weights are the size of the file. The runtime is an allowance. So the sum is an
estimate, an upper bound for models whose layers don't all keep the whole context, and it is called
an estimate wherever it is shown (trap T12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.providers.gguf.header import Skipped
from orket_lib.vocabulary.units import MIB

RUNTIME_MIB = 300.0  # libraries, a GPU's context, and the client
_F16 = 2
_F32 = 4
_BATCH = 512
_USUAL_VOCABULARY = 150_000  # where the metadata lacks it, as Ollama's often does
# Keys of layers that attend to, or store, less than the whole context.
_SMALLER_CACHES = (
    "attention.sliding_window",
    "attention.kv_lora_rank",
    "attention.shared_kv_layers",
    "full_attention_interval",
)


@dataclass(frozen=True)
class ModelShape:
    """The sizes in a model's metadata that its memory depends on.

    Attributes:
        cache_values: Values in the KV cache for one token, over all layers.
        width: Of the embedding.
        vocabulary: Number of tokens.
        n_ctx: Context that the model was trained with; None when the metadata lacks it.
        upper_bound: Some layers store less than the whole context, or another kind of state.
    """

    cache_values: int
    width: int
    vocabulary: int
    n_ctx: int | None
    upper_bound: bool


@dataclass(frozen=True)
class MemoryNeed:
    """The memory that a model needs, in MiB.

    Attributes:
        weights_mib: Size of the file.
        cache_mib: KV cache; None when unknown.
        compute_mib: Buffer of a batch; None when unknown.
        upper_bound: See `ModelShape`.
    """

    weights_mib: float
    cache_mib: float | None
    compute_mib: float | None
    upper_bound: bool

    @property
    def total_mib(self) -> float:
        """The sum of the known parts, with the allowance for the runtime."""
        return self.weights_mib + (self.cache_mib or 0) + (self.compute_mib or 0) + RUNTIME_MIB

    def __str__(self) -> str:
        parts = [f"weights {self.weights_mib:.0f}"]
        if self.cache_mib is not None:
            bound = "at most " if self.upper_bound else ""
            parts.append(f"KV cache {bound}{self.cache_mib:.0f}")
        if self.compute_mib is not None:
            parts.append(f"compute {self.compute_mib:.0f}")
        parts.append(f"runtime {RUNTIME_MIB:.0f}")
        unknown = "" if self.cache_mib is not None else "; its KV cache is not known"
        return f"about {self.total_mib:.0f} MiB ({' + '.join(parts)}{unknown})"


def memory_need(weights_bytes: int, shape: ModelShape | None, n_ctx: int | None) -> MemoryNeed:
    """Return the memory that a model needs.

    Args:
        weights_bytes: Of its file.
        shape: From its metadata; None when unknown.
        n_ctx: Requested context; None means the one that the model was trained with.
    """
    context = n_ctx or (shape.n_ctx if shape else None)
    return MemoryNeed(
        weights_mib=weights_bytes / MIB,
        cache_mib=shape.cache_values * context * _F16 / MIB if shape and context else None,
        compute_mib=_BATCH * _F32 * (shape.vocabulary + shape.width) / MIB if shape else None,
        upper_bound=shape is not None and shape.upper_bound,
    )


def shape_of(metadata: Mapping[str, Any]) -> ModelShape | None:
    """Return a model's shape from the metadata of its file, read from it or reported by Ollama.

    None where a number that the KV cache depends on is missing.
    """
    architecture = metadata.get("general.architecture")

    def number(key: str) -> int | None:
        value = metadata.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    layers, width = number("block_count"), number("embedding_length")
    heads = metadata.get(f"{architecture}.attention.head_count")
    kv_key = f"{architecture}.attention.head_count_kv"
    most, head_total = _most(heads), _total(heads, layers)
    kv_total = _total(metadata.get(kv_key), layers)
    if not layers or not width or not most or not head_total:
        return None
    head = width // most
    key, value = number("attention.key_length") or head, number("attention.value_length") or head
    return ModelShape(
        cache_values=(head_total if kv_total is None else kv_total) * (key + value),
        width=width,
        vocabulary=number("vocab_size")
        or _length(metadata.get("tokenizer.ggml.tokens"))
        or _USUAL_VOCABULARY,
        n_ctx=number("context_length"),
        # Ollama reports a key without its value where that is a list.
        upper_bound=any(map(number, _SMALLER_CACHES)) or (kv_key in metadata and kv_total is None),
    )


def _listed(value: object) -> tuple[int, ...]:
    """Return the numbers of a value: one for all layers, or one for each."""
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    return numbers if all(isinstance(item, int) for item in numbers) else ()


def _most(value: object) -> int:
    return max(_listed(value), default=0)


def _total(value: object, layers: int | None) -> int | None:
    """Return the sum over all layers, or None when unknown."""
    if isinstance(value, int):
        return value * layers if layers else None
    return sum(_listed(value)) if _listed(value) else None


def _length(value: object) -> int:
    if isinstance(value, Skipped):
        return value.length
    return len(value) if isinstance(value, list | tuple) else 0
