"""An Ollama server's lists of models: available, loaded, and details.

These functions only parse JSON. A model may have several names, and a name may be reassigned at any
time: the digest identifies what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

from orket_lib.providers.gguf.file import UNKNOWN_TYPE, tag_of_file_type
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import normalize_tag

_OFFICIAL = ("registry.ollama.ai/", "library/")
_NO_QUANT = "UNKNOWN"
_CLOUD = "cloud"


@dataclass(frozen=True)
class Offer:
    """A model that the server has.

    Attributes:
        name: With its tag, as the server spells it.
        digest: SHA-256 of its manifest, without prefix.
        bytes: Size of all its files.
        quant_tag: Of the manifest.
        remote_host: Where a cloud model runs.
    """

    name: str
    digest: str | None
    bytes: int | None
    quant_tag: str | None
    remote_host: str | None

    @property
    def cloud(self) -> bool:
        """Whether it runs on another machine."""
        return self.remote_host is not None or is_cloud(self.name)


@dataclass(frozen=True)
class Loaded:
    """A model that is in memory.

    Attributes:
        name: With its tag, as the server spells it.
        digest: SHA-256 of its manifest, without prefix.
        n_ctx: Context of one slot; None from older servers.
        bytes: Its memory by the server's own estimate (T12).
        vram_bytes: Of these, GPU memory.
    """

    name: str
    digest: str | None
    n_ctx: int | None
    bytes: int | None
    vram_bytes: int | None


@dataclass(frozen=True)
class Details:
    """The facts in a model's manifest and file.

    Attributes:
        quant_tag: Of the manifest.
        file_quant_tag: Of the file's header.
        bits_per_weight: Counted over the file's tensors; null where the type of one is not known
            here, None where the server lists none.
        capabilities: `completion`, `thinking`, ...
        metadata: Of the file's header.
        remote_host: Where a cloud model runs.
    """

    quant_tag: str | None
    file_quant_tag: str | None
    bits_per_weight: float | Null | None
    capabilities: tuple[str, ...]
    metadata: Mapping[str, Any]
    remote_host: str | None


_Entry = TypeVar("_Entry", Offer, Loaded)


def find(tag: str, models: Iterable[_Entry]) -> _Entry | None:
    """Return the model with this tag."""
    return next((model for model in models if full_name(model.name) == full_name(tag)), None)


def find_loaded(models: Iterable[Loaded], tag: str, digest: str | None) -> Loaded | None:
    """Return a model among those in memory.

    The server lists it under the name that was first used to load it, which may be another tag with
    the same digest.
    """
    models = tuple(models)
    same = (model for model in models if digest is not None and model.digest == digest)
    return find(tag, models) or next(same, None)


def full_name(tag: str) -> str:
    """Return the canonical spelling of a model's name."""
    name = tag.lower()
    for prefix in _OFFICIAL:
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_cloud(tag: str) -> bool:
    """Return whether a tag names a cloud model, judging by its spelling."""
    size = full_name(tag).rpartition(":")[2]
    return size == _CLOUD or size.endswith(f"-{_CLOUD}")


def offers(answer: Mapping[str, Any]) -> tuple[Offer, ...]:
    """Return the models of `GET /api/tags`."""
    return tuple(
        Offer(
            name=_name(entry),
            digest=_digest(entry),
            bytes=count(entry, "size"),
            quant_tag=_quant_tag(section(entry, "details")),
            remote_host=_remote(entry),
        )
        for entry in _entries(answer, "models")
    )


def loaded_models(answer: Mapping[str, Any]) -> tuple[Loaded, ...]:
    """Return the models of `GET /api/ps`."""
    return tuple(
        Loaded(
            name=_name(entry),
            digest=_digest(entry),
            n_ctx=count(entry, "context_length") or None,
            bytes=count(entry, "size"),
            vram_bytes=count(entry, "size_vram"),
        )
        for entry in _entries(answer, "models")
    )


def details(answer: Mapping[str, Any]) -> Details:
    """Return the details in `POST /api/show`."""
    metadata = section(answer, "model_info")
    file_type = count(metadata, "general.file_type")
    capabilities = answer.get("capabilities")
    return Details(
        quant_tag=_quant_tag(section(answer, "details")),
        file_quant_tag=None if file_type is None else tag_of_file_type(file_type),
        bits_per_weight=_bits_per_weight(_entries(answer, "tensors")),
        capabilities=tuple(map(str, capabilities)) if isinstance(capabilities, list) else (),
        metadata=metadata,
        remote_host=_remote(answer),
    )


def _bits_per_weight(tensors: list[dict[str, Any]]) -> float | Null | None:
    """Return bytes x 8 / weights over a model's tensors, as they are counted in a file (T18)."""
    import gguf

    weights, size = 0, 0.0
    for tensor in tensors:
        named = text(tensor, "type")
        if named is None:
            return None
        try:
            kind = gguf.GGMLQuantizationType[named.upper()]
            block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        except KeyError:
            return UNKNOWN_TYPE
        shape = tensor.get("shape")
        if not isinstance(shape, list) or not all(isinstance(it, int) and it > 0 for it in shape):
            return None
        weights += prod(shape)
        size += prod(shape) / block * block_bytes
    return size * 8 / weights if weights else None


def _quant_tag(described: Mapping[str, Any]) -> str | None:
    tag = normalize_tag(text(described, "quantization_level") or _NO_QUANT)
    return None if tag == _NO_QUANT else tag


def _name(entry: Mapping[str, Any]) -> str:
    return text(entry, "name") or text(entry, "model") or ""


def _digest(entry: Mapping[str, Any]) -> str | None:
    digest = text(entry, "digest")
    return digest.lower().removeprefix("sha256:") if digest else None


def _remote(entry: Mapping[str, Any]) -> str | None:
    return text(entry, "remote_host") or text(entry, "remote_model")


def _entries(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = answer.get(key)
    return [item for item in entries if isinstance(item, dict)] if isinstance(entries, list) else []
