"""The config's JSON Schema, for editors: generated from the model and checked in.

`python -m orket_lib.config.schema` rewrites it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import write_json
from orket_lib.config.loading.deprecated import OLDER
from orket_lib.config.loading.merge import ALIASES
from orket_lib.config.model import SECTIONS, SweepConfig

SCHEMA_FILE = Path("docs/schemas/sweep_config.schema.json")


def config_schema() -> dict[str, Any]:
    """Return the schema of a config file: flat keys, sections, and the keys of older files.

    No key is required: several files merge, and each may hold a part.
    """
    generated = SweepConfig.model_json_schema()
    flat: dict[str, Any] = {
        key: {name: value for name, value in part.items() if name != "title"}
        for key, part in generated["properties"].items()
    }
    sections = {name: _section(name, flat) for name in SECTIONS}
    aliases = {name: flat[key] for name, key in ALIASES.items()}
    older = {
        name: {"description": f"key of older matrix files: {older.now}", "deprecated": True}
        for name, older in OLDER.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orket Quant Sweep config",
        "description": "One sweep: models x quants x tasks. Generated; see orket_lib/config.",
        "type": "object",
        "additionalProperties": False,
        "properties": flat | sections | aliases | older,
        "$defs": generated["$defs"],
    }


def _section(name: str, flat: dict[str, Any]) -> dict[str, Any]:
    prefix = f"{name}_"
    inner = {key.removeprefix(prefix): part for key, part in flat.items() if key.startswith(prefix)}
    return {
        "description": f"the keys that begin with {prefix}",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": inner,
    }


if __name__ == "__main__":
    write_json(SCHEMA_FILE, config_schema())
