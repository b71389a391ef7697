"""From sources to the frozen config: flattened, merged and checked, with all problems in one pass.

Each source is flattened before it is merged, so that `canary_runs` on the command line wins over
`canary: {runs: ...}` in a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from orket_lib.config.loading.cross_checks import problems_between, warnings_of
from orket_lib.config.loading.files import Source
from orket_lib.config.loading.messages import field_problem, got, unknown_key
from orket_lib.config.loading.own_settings import problems_of_models, problems_of_variants
from orket_lib.config.model import SECTIONS, SweepConfig
from orket_lib.config.per_model import quants_of_all, split_models, with_variants
from orket_lib.config.secrets import without_secrets
from orket_lib.config.sweep_name import KEY, name_sweep
from orket_lib.vocabulary.errors import ConfigError

ALIASES = {"allow_polluted_frontier": "include_invalid"}
# For required keys that are missing or wrong. Checks that read them are skipped.
_PLACEHOLDERS: dict[str, Any] = {"models": ("none",), "quants": ("F16",)}


@dataclass(frozen=True)
class DeprecatedKey:
    """What replaces a key of older matrix files.

    Attributes:
        hint: What to write instead.
        key: The key that takes its value; None if the value is ignored.
        also: Settings that the old key implies.
    """

    hint: str
    key: str | None = None
    also: tuple[tuple[str, Any], ...] = ()


DEPRECATED_KEYS: dict[str, DeprecatedKey] = {
    "model_id": DeprecatedKey("write `models`, a list", "models"),
    "quant_tags": DeprecatedKey("write `quants`", "quants"),
    "context_quant_tag": DeprecatedKey("write `context: {quants: ...}`", "context_quants"),
    "lmstudio_base_url": DeprecatedKey(
        "write `provider: lmstudio` and `base_url`", "base_url", (("provider", "lmstudio"),)
    ),
    "lmstudio_timeout_sec": DeprecatedKey("write `task_timeout_sec`", "task_timeout_sec"),
    "out_dir": DeprecatedKey("views are in results/<sweep>/, which `sweep` names"),
    "summary_out": DeprecatedKey("the summary is results/<sweep>/quant_sweep/sweep_summary.json"),
    "model_hash": DeprecatedKey("files are hashed by the sweep; `artifact_digest` pins the hash"),
    "sanitize_model_cache": DeprecatedKey("every cell loads its model anew"),
    "venue": DeprecatedKey("`provider` and `machine` say what serves and where"),
    "flow": DeprecatedKey("`execution_mode` is the label that templates get"),
}


@dataclass
class Settings:
    """The merged settings of all sources.

    Attributes:
        values: By flat key.
        spelled: A flat key as the user wrote it: `canary.runs`, `model_id`.
        problems: Unknown keys, keys given twice, problems of files.
        warnings: One for each deprecated key.
        complete: False if a source can't be read: keys that seem to be missing may be there.
    """

    values: dict[str, Any] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    complete: bool = True


@dataclass(frozen=True)
class Draft:
    """A config that may have problems.

    Attributes:
        config: The config; keys in `bad` hold defaults or placeholder values.
        bad: Keys that are wrong by themselves.
        problems: One line per problem: key, what is allowed, value.
        warnings: Settings that are allowed but may surprise.
    """

    config: SweepConfig
    bad: frozenset[str]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def parse(raw: Mapping[str, Any]) -> SweepConfig:
    """Return the config of a single mapping.

    Raises:
        ConfigError: One line per problem.
    """
    if not isinstance(raw, Mapping):  # of a file that is not ours
        raise ConfigError([f"must be a mapping of keys to values ({got(raw)})"])
    drafted = draft([Source(raw)])
    if drafted.problems:
        raise ConfigError(drafted.problems)
    return drafted.config


def draft(sources: Iterable[Source]) -> Draft:
    """Return the config of several sources, together with its problems.

    Args:
        sources: Files and command line; later ones win.
    """
    sources = list(sources)
    settings = _collected(sources)
    name, misnamed = name_sweep(sources)
    if name is not None:
        settings.values[KEY] = name
    _quants_of_models(settings.values)
    if "quants" in settings.values:
        values = settings.values
        values["quants"] = with_variants(values["quants"], values.get("variants"))
    config, bad, problems = _validated(settings)
    misfits = problems_of_models(config, settings.values, "quants" in bad)
    problems += misfits
    if not {"variants", "quants", "models"} & bad:
        odd = problems_of_variants(config)
        problems += [line for lines in odd.values() for line in lines]
        if odd:
            bad |= {"variants"}
            emptied = {**config.variants, **{name: {} for name in odd}}
            config = config.model_copy(update={"variants": emptied})
    if misfits or "quants" in bad:
        bad |= {"models"}
        config = config.model_copy(update={"model_settings": {}})
    if not settings.complete:  # the unreadable file may name a task bank
        bad |= {"task_bank"} - settings.values.keys()
    problems = [*settings.problems, *misnamed, *problems, *problems_between(config, bad)]
    warnings = [*settings.warnings, *warnings_of(config)]
    return Draft(config, frozenset(bad), tuple(problems), tuple(warnings))


def _collected(sources: Iterable[Source]) -> Settings:
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


def _quants_of_models(values: dict[str, Any]) -> None:
    """Take the quants from the models if each has its own."""
    own, models = values.get("model_settings"), values.get("models")
    if "quants" not in values and isinstance(own, dict) and isinstance(models, list):
        found = quants_of_all(models, own)
        if found is not None:
            values["quants"] = found


def _validated(settings: Settings) -> tuple[SweepConfig, set[str], list[str]]:
    """Return the config, the keys that are wrong, and their problems."""
    try:
        return SweepConfig.model_validate(settings.values), set(), []
    except ValidationError as error:
        found = error.errors()
    bad = {str(item["loc"][0]) for item in found}
    lines = [
        field_problem(item, settings.values, settings.spelled)
        for item in found
        if item["type"] != "missing" or settings.complete
    ]
    good = {key: value for key, value in settings.values.items() if key not in bad}
    # Field validators look at their own field only, so what is left is good.
    config = SweepConfig.model_validate(_PLACEHOLDERS | good)
    return config, bad, list(dict.fromkeys(lines))


def _flat(raw: Mapping[str, Any]) -> Settings:
    """Return the settings of one source."""
    found = Settings()
    deprecated: dict[str, Any] = {}
    for spelled, name, value in _entries(raw, found.problems):
        key = ALIASES.get(name, name)
        if not _is_well_formed(value):
            found.problems.append(f"{spelled}: holds half a character (a lone surrogate)")
        elif key in DEPRECATED_KEYS:
            deprecated[key] = value
        elif key not in SweepConfig.model_fields:
            found.problems.append(f"{unknown_key(key, spelled)} ({got(value, key)})")
        elif key in found.values and found.values[key] != value:
            both = " and as ".join(repr(without_secrets(it)) for it in (found.values[key], value))
            found.problems.append(f"{found.spelled[key]}, {spelled}: given twice, as {both}")
        else:
            found.values[key] = value
            found.spelled[key] = spelled
    for name, value in deprecated.items():
        _translate(name, value, found)
    return found


def _is_well_formed(value: Any) -> bool:
    """Tell whether a value can be written to a file."""
    try:
        json.dumps(value, ensure_ascii=False, default=str, skipkeys=True).encode()
    except UnicodeEncodeError:
        return False
    return True


def _entries(raw: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Yield every entry as (spelled, flat key, value)."""
    for key, value in raw.items():
        if not isinstance(key, str):
            problems.append(f"{key}: a key must be text ({got(key)})")
        elif key == "models" and isinstance(value, Mapping):
            yield from ((key, name, split) for name, split in split_models(value).items())
        elif key not in SECTIONS:
            yield key, key, value
        elif isinstance(value, Mapping):
            yield from ((f"{key}.{name}", f"{key}_{name}", v) for name, v in value.items())
        elif value is not None:  # a section whose lines are all commented out
            problems.append(f"{key}: must be a section, a mapping of keys to values ({got(value)})")


def _translate(name: str, value: Any, found: Settings) -> None:
    """Give a deprecated key's value to its successor, which wins if both are given."""
    old = DEPRECATED_KEYS[name]
    superseded = old.key in found.values
    if old.key is None:
        effect = "ignored"
    else:
        effect = f"ignored because of `{old.key}`" if superseded else f"read as `{old.key}`"
    found.warnings.append(f"{name}: deprecated key, {effect}; {old.hint}")
    if old.key is None or superseded:
        return
    found.values[old.key] = value
    found.spelled[old.key] = name
    for key, implied in old.also:
        found.values.setdefault(key, implied)
        found.spelled.setdefault(key, name)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings deeply, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
