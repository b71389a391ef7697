"""Ollama's folder of models, read without its server: manifests name the files of their layers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orket_lib.artifacts.io import json_value
from orket_lib.providers.gguf.file import GgufFacts

_MANIFESTS = "manifests"
_WEIGHTS = "application/vnd.ollama.image.model"
_OFFICIAL = ("registry.ollama.ai/", "library/")


def is_store(folder: Path) -> bool:
    """Tell whether a folder is one of Ollama's."""
    return (folder / _MANIFESTS).is_dir() and (folder / "blobs").is_dir()


def stored_models(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each model with its tag, and the file of its weights.

    A manifest that can't be read, or that names no such file (a cloud model), is left out.

    Args:
        folder: Such as `~/.ollama/models`.
    """
    root = folder / _MANIFESTS
    for path in sorted(root.glob("*/*/*/*")):
        try:
            layers = json_value(path.read_text(encoding="utf-8"))["layers"]
            digest = next(item["digest"] for item in layers if item["mediaType"] == _WEIGHTS)
        except (OSError, ValueError, LookupError, TypeError, StopIteration):
            continue
        name = path.parent.relative_to(root).as_posix()
        for prefix in _OFFICIAL:
            name = name.removeprefix(prefix)
        yield f"{name}:{path.name}", folder / "blobs" / str(digest).replace(":", "-")


def is_ollamas_own(facts: GgufFacts) -> bool:
    """Tell whether only Ollama reads a file: its architecture, or a vision part within the file."""
    from gguf.constants import MODEL_ARCH_NAMES

    architecture = str(facts.metadata.get("general.architecture"))
    vision = f"{architecture}.vision."
    return architecture not in MODEL_ARCH_NAMES.values() or any(
        key.startswith(vision) for key in facts.metadata
    )
