"""What LM Studio says of its models: on disk, in memory, and of the one that answered.

Two versions of its API say it in two shapes; both are read into one. Since 0.4 it has `/api/v1`,
which lists the loaded instances of each model. Before, `/api/v0` listed a loaded model as loaded,
and a second instance of it as a model `NAME:2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.quants import normalize_tag


@dataclass(frozen=True)
class Instance:
    """A model in memory: what to call it in a request, and its context where that is told."""

    id: str
    n_ctx: int | None


@dataclass(frozen=True)
class Listed:
    """A model that LM Studio has.

    Attributes:
        key: What it is called.
        quant_tag: Of its file; of the chosen one where a key stands for several.
        bytes: Size of its file; only newer versions tell.
        variants: What else it may be asked for as.
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
    """What an answer says of the model and the runtime that it comes from."""

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
    """Return the models of `GET /api/v0/models`; None from something else than LM Studio."""
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
    """Return what an answer of `/api/v0/chat/completions` says of itself."""
    info, runtime = section(answer, "model_info"), section(answer, "runtime")
    words = (text(runtime, "name"), text(runtime, "version"))
    return Answering(
        quant_tag=_tag(text(info, "quant")),
        n_ctx=count(info, "context_length"),
        runtime=" ".join(word for word in words if word) or None,
    )


def find(name: str, models: Iterable[Listed]) -> Listed | None:
    """Return the model that a name asks for."""
    return next((item for item in models if name == item.key or name in item.variants), None)


def loaded(models: Iterable[Listed]) -> dict[str, Instance]:
    """Return everything in memory, by its id."""
    return {instance.id: instance for item in models for instance in item.instances}


def _instances(entries: object) -> list[Instance]:
    found = entries if isinstance(entries, list) else []
    return [
        Instance(name, count(section(entry, "config"), "context_length"))
        for entry in found
        if isinstance(entry, dict) and (name := text(entry, "id"))
    ]


def _names(entries: object) -> list[str]:
    found = entries if isinstance(entries, list) else []
    names = [text(entry, "key") if isinstance(entry, dict) else entry for entry in found]
    return [name for name in names if isinstance(name, str)]


def _tag(label: str | None) -> str | None:
    return normalize_tag(label) if label else None
