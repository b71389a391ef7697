"""Problems of settings that only some cells have: those of one model, and those of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from orket_lib.config.loading.messages import field_problem, got
from orket_lib.config.model import SweepConfig
from orket_lib.config.per_model import OWN_KEYS, VARIANT_KEYS
from orket_lib.vocabulary.validation import nearest


def problems_of_models(
    config: SweepConfig, values: Mapping[str, Any], no_quants: bool
) -> list[str]:
    """Return a line for each wrong setting of a model's own.

    Args:
        config: The config.
        values: The flat settings that it was read from.
        no_quants: Whether its quants are placeholders.
    """
    lines = []
    for model in config.models:
        own = config.model_settings.get(model, {})
        place = f"models.{model}"
        unknown = sorted(own.keys() - set(OWN_KEYS))
        lines += [
            f"{place}.{key}: {_not_of_a_model(key)} ({got(own[key], key)})" for key in unknown
        ]
        if unknown:
            continue
        try:
            view = config.of(model)
        except ValidationError as error:
            given = {**values, **own, "models": [model]}
            lines += [f"{place}.{field_problem(item, given, {})}" for item in error.errors()]
            continue
        if not view.quants and not no_quants:
            lines.append(
                f"{place}: has none of the sweep's quants {', '.join(config.quants)} "
                f"({got(own['quants'])})"
            )
    return list(dict.fromkeys(lines))


def problems_of_variants(config: SweepConfig) -> dict[str, list[str]]:
    """Return a line for each wrong setting of a variant, by the name of the variant."""
    lines: dict[str, list[str]] = {}
    for name, own in config.variants.items():
        place = f"variants.{name}"
        unknown = sorted(own.keys() - set(VARIANT_KEYS))
        found = [
            f"{place}.{key}: there is no such setting of a variant"
            f"{nearest(key, VARIANT_KEYS)} ({got(own[key], key)})"
            for key in unknown
        ]
        try:
            _ = unknown or config.in_variant(name)
        except ValidationError as error:
            found += [f"{place}.{field_problem(item, own, {})}" for item in error.errors()]
        if found:
            lines[name] = found
    return lines


def _not_of_a_model(key: str) -> str:
    """Return why a key can't stand in the entry of a model."""
    if key in SweepConfig.model_fields:
        return "is set for the whole sweep, not for one model"
    return f"there is no such setting of one model{nearest(key, OWN_KEYS)}"
