"""The published artifacts, and the JSON Schema of each, generated and checked in.

`python -m orket_lib.artifacts.schemas` rewrites the schemas in docs/schemas.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from orket_lib import artifacts
from orket_lib.artifacts.base import Record
from orket_lib.artifacts.io import write_json

SCHEMAS = Path("docs/schemas")


@cache
def published() -> tuple[type[Record], ...]:
    """Return every model of the library that has a schema version, in the order of the versions."""
    for module in pkgutil.walk_packages(artifacts.__path__, f"{artifacts.__name__}."):
        import_module(module.name)
    found = {model for model in _kinds_of(Record) if _has_version(model)}
    return tuple(sorted(found, key=version_of))


def _kinds_of(model: type[Record]) -> Iterator[type[Record]]:
    for kind in model.__subclasses__():
        yield kind
        yield from _kinds_of(kind)


def _has_version(model: type[Record]) -> bool:
    field = model.model_fields.get("schema_version")
    ours = model.__module__.startswith(f"{artifacts.__name__}.")
    return ours and field is not None and not field.is_required()


def version_of(model: type[Record]) -> str:
    """Return the `schema_version` of a published model."""
    return str(model.model_fields["schema_version"].default)


def schema_of(model: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a published model.

    Fields with a default are not required, because older minor versions lack them; the version is.
    """
    generated = model.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **generated,
        "title": version_of(model),
        "required": ["schema_version", *generated["required"]],
    }


def schema_file(model: type[Record]) -> Path:
    """Return the path of a published model's schema, relative to the root of the checkout."""
    return SCHEMAS / f"{version_of(model)}.schema.json"


if __name__ == "__main__":
    for published_model in published():
        write_json(schema_file(published_model), schema_of(published_model))
