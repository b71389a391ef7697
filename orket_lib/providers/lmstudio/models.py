"""LM Studio's models: on disk, in memory, and the one that answered.

Both versions of its API are read into the same records. Since 0.4 there is `/api/v1`, which lists
the loaded instances of each model. Before, `/api/v0` marked a model as loaded, and listed a second
instance of it as a model `NAME:2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.quants import normalize_tag


@dataclass(frozen=True)
class Instance:
    """A model in memory: its name in requests, and how it was loaded where that is reported."""

    id: str
    n_ctx: int | None
    flash_attn: bool | None = None
    batch_size: int | None = None


@dataclass(frozen=True)
class Listed:
    """A model that LM Studio has.

    Attributes:
        key: Its name.
        quant_tag: Of its file; of the selected one where a key has several variants.
        bytes: Size of its file; only newer versions report it.
        variants: Other names for it in requests.
        instances: In memory.
        most_ctx: Largest context that it can be loaded with.
        chats: Whether it answers; an embedding model doesn't.
    """

    key: str
    quant_tag: str | None
    bytes: int | None
    variants: tuple[str, ...]
    instances: tuple[Instance, ...]
    most_ctx: int | None = None
    chats: bool = True


@dataclass(frozen=True)
class Answering:
    """The facts in an answer about its model and runtime."""

    quant_tag: str | None = None
    n_ctx: int | None = None
    runtime: str | None = None


def models_of_v1(answer: Mapping[str, Any]) -> tuple[Listed, ...] | None:
    """Return the models of `GET /api/v1/models`; None from a version without that route."""
    if not isinstance(answer.get("models"), list):
        return None
    return tuple(
        Listed(
            key=key,
            quant_tag=_tag(text(section(entry, "quantization"), "name")),
            bytes=count(entry, "size_bytes"),
            variants=tuple(_names(entry.get("variants"))),
            instances=tuple(_instances(entry.get("loaded_instances"))),
            most_ctx=count(entry, "max_context_length"),
            chats=entry.get("type") != "embedding",
        )
        for entry in answer["models"]
        if isinstance(entry, dict) and (key := text(entry, "key"))
    )


def models_of_v0(answer: Mapping[str, Any]) -> tuple[Listed, ...] | None:
    """Return the models of `GET /api/v0/models`; None from another kind of server."""
    if not isinstance(answer.get("data"), list):
        return None
    return tuple(
        Listed(
            key=key,
            quant_tag=_tag(text(entry, "quantization")),
            bytes=None,
            variants=(),
            instances=(
                (Instance(key, count(entry, "loaded_context_length")),)
                if entry.get("state") == "loaded"
                else ()
            ),
            most_ctx=count(entry, "max_context_length"),
            chats=entry.get("type") != "embeddings",
        )
        for entry in answer["data"]
        if isinstance(entry, dict) and (key := text(entry, "id"))
    )


def answering(answer: Mapping[str, Any]) -> Answering:
    """Return the facts in an answer of `/api/v0/chat/completions`."""
    info, runtime = section(answer, "model_info"), section(answer, "runtime")
    words = (text(runtime, "name"), text(runtime, "version"))
    return Answering(
        quant_tag=_tag(text(info, "quant")),
        n_ctx=count(info, "context_length"),
        runtime=" ".join(word for word in words if word) or None,
    )


def find(name: str, models: Iterable[Listed]) -> Listed | None:
    """Return the model of that name."""
    return next((item for item in models if name == item.key or name in item.variants), None)


def loaded(models: Iterable[Listed]) -> dict[str, Instance]:
    """Return everything in memory, by its id."""
    return {instance.id: instance for item in models for instance in item.instances}


def _instances(entries: object) -> list[Instance]:
    found = entries if isinstance(entries, list) else []
    return [
        _instance(name, section(entry, "config"))
        for entry in found
        if isinstance(entry, dict) and (name := text(entry, "id"))
    ]


def _instance(name: str, config: Mapping[str, Any]) -> Instance:
    flash = config.get("flash_attention")
    return Instance(
        name,
        count(config, "context_length"),
        flash if isinstance(flash, bool) else None,
        count(config, "eval_batch_size"),
    )


def _names(entries: object) -> list[str]:
    found = entries if isinstance(entries, list) else []
    names = [text(entry, "key") if isinstance(entry, dict) else entry for entry in found]
    return [name for name in names if isinstance(name, str)]


def _tag(label: str | None) -> str | None:
    return normalize_tag(label) if label else None
