"""What serves a cell: a model file or a tag on a server, and the digest it must have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orket_lib.config.model import SweepConfig
from orket_lib.config.shipped import located
from orket_lib.vocabulary.slugs import slug


@dataclass(frozen=True)
class Recipe:
    """What llama-quantize makes a model file from.

    Attributes:
        base: Unquantized model file.
        imatrix: Importance matrix, if any.
    """

    base: Path
    imatrix: Path | None = None


@dataclass(frozen=True)
class ModelRef:
    """The model of a cell: either a file or a tag.

    Attributes:
        path: The file; None for a file with a recipe until its base is hashed.
        tag: Name on a server.
        recipe: How the file is made; None for a file that exists.
    """

    path: Path | None = None
    tag: str | None = None
    recipe: Recipe | None = None

    def __str__(self) -> str:
        return self.path.as_posix() if self.path else str(self.tag)


def serves_files(config: SweepConfig) -> bool:
    """Tell whether cells are files; for a running llama-server they may also be tags."""
    named = bool(config.artifact_template or config.artifacts)
    return config.traits.serves_files and (makes_files(config) or named)


def makes_files(config: SweepConfig) -> bool:
    """Tell whether missing files can be made: only a server that the sweep starts takes them."""
    return config.traits.starts_server(config.base_url)


def model_ref(config: SweepConfig, model: str, quant: str) -> ModelRef | None:
    """Return the file or tag of a cell, or None if the config has neither."""
    quant = config.plain(quant)
    if serves_files(config):
        path = _listed_or_filled(config.artifacts, config.artifact_template, model, quant)
        return ModelRef(path=located(path)) if path else None
    tag = _listed_or_filled(config.tags, config.tag_template, model, quant)
    return ModelRef(tag=tag) if tag else None


def pin_for(config: SweepConfig, model: str, quant: str) -> str | None:
    """Return the digest that a cell must have, or None."""
    pins = config.artifact_digest
    return pins.get(model, {}).get(config.plain(quant)) if isinstance(pins, dict) else pins


def _listed_or_filled(
    table: dict[str, dict[str, str]], template: str | None, model: str, quant: str
) -> str | None:
    """Return a cell's entry of a table, or else the filled template."""
    listed = table.get(model, {}).get(quant)
    if listed is not None or template is None:
        return listed
    return filled(template, model).replace("{quant}", quant)


def filled(template: str, model: str) -> str:
    """Return a template with the model filled in."""
    return template.replace("{model}", model).replace("{slug}", slug(model))
