"""Estimate of the memory that a model needs, from its metadata, before it is loaded.

need = weights + KV cache + compute buffer + runtime. The KV cache of a transformer is known to the
byte: context x the sum over its layers of KV heads x (key length x bytes of a key's value + value
length x bytes of a value's), 2 bytes in 16-bit floats, its default. The compute buffer is what
llama.cpp allocates for a batch of 512 tokens: 4 bytes x 512 x (vocabulary + width), with flash
attention, its default where the device supports it. Weights are the size of the file. The runtime
is an allowance. So the sum is an estimate, an upper bound for models whose layers don't all keep
the whole context, and it is called an estimate wherever it is shown (trap T12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.providers.gguf.header import Skipped
from orket_lib.vocabulary.units import MIB

RUNTIME_MIB = 300.0  # libraries, a GPU's context, and the client
_F32 = 4
# Bytes of one value, by the type of the cache: blocks of 32 values with their scales.
_CACHE_BYTES = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
_DEFAULT_TYPE = "f16"
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
        key_values: Values of keys in the KV cache for one token, over all layers.
        value_values: The same of values.
        width: Of the embedding.
        vocabulary: Number of tokens.
        n_ctx: Context that the model was trained with; None when the metadata lacks it.
        upper_bound: Some layers store less than the whole context, or another kind of state.
    """

    key_values: int
    value_values: int
    width: int
    vocabulary: int
    n_ctx: int | None
    upper_bound: bool

    def cache_mib(self, n_ctx: int, type_k: str | None, type_v: str | None) -> float:
        """Return the size of the KV cache.

        Args:
            n_ctx: Tokens that it holds.
            type_k: Of the keys; None means llama.cpp's default, f16.
            type_v: Of the values.

        Raises:
            KeyError: A type is unknown.
        """
        keys, values = (_CACHE_BYTES[it or _DEFAULT_TYPE] for it in (type_k, type_v))
        return n_ctx * (self.key_values * keys + self.value_values * values) / MIB


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


def memory_need(
    weights_bytes: int,
    shape: ModelShape | None,
    n_ctx: int | None,
    type_k: str | None = None,
    type_v: str | None = None,
) -> MemoryNeed:
    """Return the memory that a model needs.

    Args:
        weights_bytes: Of its file.
        shape: From its metadata; None when unknown.
        n_ctx: Requested context; None means the one that the model was trained with.
        type_k: Requested type of the keys in the KV cache; None means f16.
        type_v: Of the values.
    """
    context = n_ctx or (shape.n_ctx if shape else None)
    return MemoryNeed(
        weights_mib=weights_bytes / MIB,
        cache_mib=shape.cache_mib(context, type_k, type_v) if shape and context else None,
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
    heads_stored = head_total if kv_total is None else kv_total
    return ModelShape(
        key_values=heads_stored * key,
        value_values=heads_stored * value,
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
