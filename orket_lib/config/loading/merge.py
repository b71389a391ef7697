"""From sources to one flat set of settings: sections, aliases and older keys are gone after it.

Each source is flattened on its own before it is merged: so `canary_runs` on the command line wins
over `canary: {runs: ...}` in a file, which a merge of the raw mappings couldn't tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orket_lib.config.loading.deprecated import OLDER, older_warning
from orket_lib.config.loading.files import Source
from orket_lib.config.loading.messages import got, unknown_key
from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.config.secrets import without_secrets

ALIASES = {"allow_polluted_frontier": "include_invalid"}


@dataclass
class Settings:
    """What all sources say together.

    Attributes:
        values: By flat key.
        spelled: How the user wrote a flat key: `canary.runs`, `model_id`.
        problems: What is wrong with the keys themselves.
        warnings: One for each older key.
        complete: False when a source can't be read, so that nothing can be called missing.
    """

    values: dict[str, Any] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    complete: bool = True


def collect(sources: Iterable[Source]) -> Settings:
    """Return the settings of all sources; later ones win, mappings are merged deeply."""
    merged = Settings()
    for source in sources:
        one = _flat(source.settings)
        merged.problems += [*source.problems, *one.problems]
        merged.warnings += [line for line in one.warnings if line not in merged.warnings]
        merged.values = _merge(merged.values, one.values)
        merged.spelled |= one.spelled
        merged.complete &= source.readable
    return merged


def _flat(raw: Mapping[str, Any]) -> Settings:
    """Return the settings of one source."""
    found = Settings()
    older: dict[str, Any] = {}
    for spelled, name, value in _entries(raw, found.problems):
        key = ALIASES.get(name, name)
        if key in OLDER:
            older[key] = value
        elif key not in SweepConfig.model_fields:
            found.problems.append(f"{unknown_key(key, spelled)} ({got(value, key)})")
        elif key in found.values and found.values[key] != value:
            both = f"{_shown(found.values[key])} and as {_shown(value)}"
            found.problems.append(f"{found.spelled[key]}, {spelled}: given twice, as {both}")
        else:
            found.values[key] = value
            found.spelled[key] = spelled
    for name, value in older.items():
        _translate(name, value, found)
    return found


def _entries(raw: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Yield every entry as (spelled, flat key, value)."""
    for key, value in raw.items():
        if not isinstance(key, str):
            problems.append(f"{key}: a key must be text ({got(key)})")
        elif key not in SECTIONS:
            yield key, key, value
        elif isinstance(value, Mapping):
            yield from ((f"{key}.{name}", f"{key}_{name}", v) for name, v in value.items())
        elif value is not None:  # a section whose lines are all commented out
            problems.append(f"{key}: must be a section, a mapping of keys to values ({got(value)})")


def _translate(name: str, value: Any, found: Settings) -> None:
    """Give an older key's value to its successor, which wins where both are given."""
    older = OLDER[name]
    superseded = older.key in found.values
    found.warnings.append(older_warning(name, superseded))
    if older.key is None or superseded:
        return
    found.values[older.key] = value
    found.spelled[older.key] = name
    for key, implied in older.also:
        found.values.setdefault(key, implied)
        found.spelled.setdefault(key, name)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings deeply, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _shown(value: object) -> str:
    return repr(without_secrets(value))
