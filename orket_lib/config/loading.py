"""From a raw mapping to the frozen config, with every problem found at once.

Snakemake merges config files and `--config` itself and hands over one mapping; `orket plan` reads
files with `read_config_files`. Both go through `parse`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.slugs import slug


def parse(raw: Mapping[str, Any]) -> SweepConfig:
    """Return the config that a raw mapping means.

    Raises:
        ConfigError: With one line per problem: key, what is wrong, value, what is allowed.
    """
    flat, problems = _flatten(raw)
    try:
        config = SweepConfig.model_validate(flat)
    except ValidationError as error:
        problems += [_line(dict(item)) for item in error.errors()]
    if problems:
        raise ConfigError(problems)
    return config


def read_config_files(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the merged content of config files (YAML or JSON), later ones win.

    Raises:
        ConfigError: A file is missing, not UTF-8, not YAML, or not a mapping.
    """
    merged: dict[str, Any] = {}
    problems: list[str] = []
    for path in paths:
        try:
            merged = _merge(merged, _read_mapping(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return merged


def default_sweep_name(paths: Sequence[str | Path]) -> str | None:
    """Return the sweep's name when the config has none: the stem of the last config file."""
    return slug(Path(paths[-1]).stem) if paths else None


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError(
            [f"{path}: not UTF-8 (PowerShell's `>` writes UTF-16; save the file as UTF-8)"]
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: {' '.join(str(error).split())}"]) from None
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: holds no mapping of keys to values"])
    return content


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings deeply, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _flatten(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Turn sections into flat keys; a key given both ways with two values is a problem."""
    flat: dict[str, Any] = {}
    problems = []
    for key, value in raw.items():
        section = key in SECTIONS and isinstance(value, Mapping)
        items = (
            {f"{key}_{name}": inner for name, inner in value.items()} if section else {key: value}
        )
        for name, inner in items.items():
            if name in flat and flat[name] != inner:
                problems.append(f"{name}: given twice, as {flat[name]!r} and as {inner!r}")
            flat[name] = inner
    return flat, problems


def _line(item: dict[str, Any]) -> str:
    """Return one pydantic error as `key: what is wrong (got value)`."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, SweepConfig.model_fields, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        return f"{key}: there is no such key{hint} (got {item['input']!r})"
    if item["type"] == "missing":
        field = SweepConfig.model_fields.get(key)
        return f"{key}: missing ({field.description if field else 'required'})"
    message = item["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (got {item['input']!r})" if key else message
