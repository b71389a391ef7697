"""The config's JSON Schema, for editors. It is generated from the model and checked in.

`python -m orket_lib.config.schema` rewrites it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import write_json
from orket_lib.config.loading.parse import ALIASES, DEPRECATED_KEYS
from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.config.per_model import BY_QUANT, OWN_KEYS

SCHEMA_FILE = Path("docs/schemas/sweep_config.schema.json")


def config_schema() -> dict[str, Any]:
    """Return the schema of a config file: flat keys, sections, aliases and deprecated keys.

    No key is required, because a config may be spread over several files.
    """
    generated = SweepConfig.model_json_schema()
    flat: dict[str, Any] = {
        key: {name: value for name, value in part.items() if name != "title"}
        for key, part in generated["properties"].items()
    }
    flat["models"]["anyOf"].append({"type": "object", "additionalProperties": _own(flat)})
    sections = {name: _section(f"{name}_", flat) for name in SECTIONS}
    aliases = {name: flat[key] for name, key in ALIASES.items()}
    deprecated = {
        name: {"description": f"deprecated: {old.hint}", "deprecated": True}
        for name, old in DEPRECATED_KEYS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orket Quant Sweep config",
        "description": "One sweep: models x quants x tasks. Generated; see orket_lib/config.",
        "type": "object",
        "additionalProperties": False,
        "properties": flat | sections | aliases | deprecated,
        "$defs": generated["$defs"],
    }


def _own(flat: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a model's own settings."""
    by_quant = {"type": "object", "additionalProperties": {"type": "string"}}
    own = {key: by_quant if key in BY_QUANT else flat[key] for key in OWN_KEYS}
    return {"type": ["object", "null"], "additionalProperties": False, "properties": own}


def _section(prefix: str, flat: dict[str, Any]) -> dict[str, Any]:
    inner = {key.removeprefix(prefix): part for key, part in flat.items() if key.startswith(prefix)}
    return {
        "description": f"the keys that begin with {prefix}",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": inner,
    }


if __name__ == "__main__":
    write_json(SCHEMA_FILE, config_schema())
