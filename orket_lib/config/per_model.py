"""Settings of one model: `models` as a table, whose entries override how the others are served.

So models of several servers stand in one sweep. An entry's `tags`, `artifacts` and
`artifact_digest` are `{quant: ...}`, and its quants are those of its table unless it lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orket_lib.config.sections.controls import Controls
from orket_lib.config.sections.fields import listed
from orket_lib.config.sections.serving import Serving
from orket_lib.vocabulary.quants import is_label, nominal_bits, normalize_tag, split_label

# What all models of a sweep have in common: its machine, and the order of its quants.
_SHARED = {"machine", "quant_bits"}
BY_QUANT = ("artifacts", "tags", "artifact_digest")
OWN_KEYS = ("quants", *sorted({*Serving.model_fields, *Controls.model_fields} - _SHARED))
# A variant serves the same files from the same place.
_OF_THE_MODEL = {"quants", "provider", "base_url", "allow_remote", "exclusive", "api_key"}
_OF_THE_MODEL |= {"artifact_template", "tag_template", "on_server_death", *BY_QUANT}
VARIANT_KEYS = tuple(key for key in OWN_KEYS if key not in _OF_THE_MODEL)


def split_models(models: Mapping[Any, Any]) -> dict[str, Any]:
    """Return `models` as a table in flat keys: the ids, and the settings that some of them have."""
    own = {str(model): settings_of(str(model), entry) for model, entry in models.items() if entry}
    return {"models": [str(model) for model in models], "model_settings": own}


def settings_of(model: str, entry: Any) -> Any:
    """Return the entry of a model as settings of a sweep of this model alone."""
    if not isinstance(entry, Mapping):
        return entry
    own = dict(entry)
    for key in BY_QUANT:
        table = own.get(key)
        if isinstance(table, Mapping) and model not in table:
            own[key] = {model: dict(table)}
    named = [own[key][model] for key in ("tags", "artifacts") if isinstance(own.get(key), Mapping)]
    quants = own.get("quants", list(dict.fromkeys(tag for table in named for tag in table)))
    if quants or "quants" in own:
        tags = listed(quants)
        if isinstance(tags, list | tuple):
            own["quants"] = [normalize_tag(str(tag)) for tag in tags]
    return own


def with_variants(quants: Any, variants: Any) -> Any:
    """Return the quants with each one's variants after it, unless some variant is listed.

    A quant with a label of its own has none. Nor has any if a variant can't be used; see
    `Matrix.variants`, which says so.
    """
    tags = listed(quants)
    if not isinstance(tags, list | tuple) or not isinstance(variants, Mapping) or not variants:
        return quants
    if not all(is_label(str(name)) and settings for name, settings in variants.items()):
        return quants
    split = [(tag, split_label(str(tag))[1]) for tag in tags]
    if any(label in variants for _, label in split):
        return quants
    return [
        cell
        for tag, label in split
        for cell in (tag, *(f"{tag}@{name}" for name in variants if label is None))
    ]


def quants_of_all(models: Iterable[str], settings: Mapping[str, Any]) -> list[str] | None:
    """Return the quants that some model has, the largest first; None unless each lists its own.

    Args:
        models: The ids.
        settings: `model_settings`.
    """
    lists = [settings[model].get("quants") for model in models if model in settings]
    if len(lists) < len(list(models)) or not all(isinstance(one, list) for one in lists):
        return None
    tags = dict.fromkeys(tag for one in lists for tag in one)
    return sorted(tags, key=lambda tag: -(nominal_bits(tag) or 0.0))
