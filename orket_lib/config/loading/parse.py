"""From sources to the frozen config, with all problems found in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from orket_lib.config.loading.cross_checks import problems_between, warnings_of
from orket_lib.config.loading.files import Source
from orket_lib.config.loading.merge import Settings, collect
from orket_lib.config.loading.messages import field_problem
from orket_lib.config.model import SweepConfig
from orket_lib.config.sweep_name import KEY, name_sweep
from orket_lib.vocabulary.errors import ConfigError

# For required keys that are missing or wrong. Checks that read them are skipped.
_PLACEHOLDERS: dict[str, Any] = {"models": ("none",), "quants": ("F16",)}


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
    settings = collect(sources)
    name, misnamed = name_sweep(sources)
    if name is not None:
        settings.values[KEY] = name
    config, bad, problems = _validated(settings)
    if not settings.complete:  # the unreadable file may name a task bank
        bad |= {"task_bank"} - settings.values.keys()
    problems = [*settings.problems, *misnamed, *problems, *problems_between(config, bad)]
    warnings = [*settings.warnings, *warnings_of(config)]
    return Draft(config, frozenset(bad), tuple(problems), tuple(warnings))


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
