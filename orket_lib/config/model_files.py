"""What a config names for a cell: a file or a server's tag, and the digest that it must have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orket_lib.config.model import SweepConfig
from orket_lib.config.shipped import located
from orket_lib.vocabulary.slugs import slug


@dataclass(frozen=True)
class Recipe:
    """What the file of a cell is made from.

    Attributes:
        base: File with all its bits.
        imatrix: Importance matrix; None for none.
    """

    base: Path
    imatrix: Path | None = None


@dataclass(frozen=True)
class Named:
    """What serves a cell: exactly one of file and tag.

    Attributes:
        path: The file; of one that is made, only the hash of its base tells where it lies.
        tag: Name on a server.
        recipe: How the file is made; None for one that is there.
    """

    path: Path | None = None
    tag: str | None = None
    recipe: Recipe | None = None

    def __str__(self) -> str:
        return self.path.as_posix() if self.path else str(self.tag)


def serves_files(config: SweepConfig) -> bool:
    """Tell whether cells are files: a running llama-server takes either, and a file wins."""
    named = bool(config.artifact_template or config.artifacts)
    return config.traits.serves_files and (makes_files(config) or named)


def makes_files(config: SweepConfig) -> bool:
    """Tell whether files can be made for what serves: only a server of our own takes any file."""
    return config.traits.starts_server(config.base_url)


def named_for(config: SweepConfig, model: str, quant: str) -> Named | None:
    """Return what the config names for a cell; a table wins over a template."""
    if serves_files(config):
        path = _chosen(config.artifacts, config.artifact_template, model, quant)
        return Named(path=located(path)) if path else None
    tag = _chosen(config.tags, config.tag_template, model, quant)
    return Named(tag=tag) if tag else None


def pin_for(config: SweepConfig, model: str, quant: str) -> str | None:
    """Return the digest that a cell must have, or None."""
    pins = config.artifact_digest
    return pins.get(model, {}).get(quant) if isinstance(pins, dict) else pins


def _chosen(
    table: dict[str, dict[str, str]], template: str | None, model: str, quant: str
) -> str | None:
    named = table.get(model, {}).get(quant)
    if named is not None or template is None:
        return named
    return filled(template, model).replace("{quant}", quant)


def filled(template: str, model: str) -> str:
    """Return a template with the model filled in."""
    return template.replace("{model}", model).replace("{slug}", slug(model))
