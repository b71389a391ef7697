"""The context sweep of a config: which contexts are measured, and the limits they must meet.

Both come from a profile, and keys of the config override it. Without a profile, the limits are
those of the shipped profile `safe`. A context in `wants` is measured, too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from orket_lib.artifacts.measurements.spec import ContextFill
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.context import ALL, PICK
from orket_lib.config.sections.fields import Rate, from_fields, refuse_repeats
from orket_lib.sweep.profiles import Profile, chosen_profile

_STRICT = {"adherence_min": 0.95, "ttft_ceiling_ms": 250.0, "decode_floor_tps": 20.0}


class ContextProfile(Profile):
    """Contexts to try and the limits of each; 0 turns a limit off."""

    contexts: tuple[Annotated[int, Field(ge=256)], ...] = Field(min_length=1)
    adherence_min: Rate
    ttft_ceiling_ms: float = Field(ge=0)
    decode_floor_tps: float = Field(ge=0)

    @field_validator("contexts")
    @classmethod
    def _no_context_is_repeated(cls, contexts: tuple[int, ...]) -> tuple[int, ...]:
        refuse_repeats([str(context) for context in contexts])
        return contexts


def find_contexts(config: SweepConfig) -> ContextSettings | None:
    """Return the context sweep of a config; None if it has none.

    Raises:
        ConfigError: The profiles file is unreadable, or the profile is missing or invalid.
    """
    if not config.sweeps_contexts:
        return None
    profile = None
    if config.context_sweep_profile is not None:
        profile = chosen_profile(
            ContextProfile,
            ("context_profiles_config", config.context_profiles_config),
            ("context_sweep_profile", config.context_sweep_profile),
        )
    limits = {}
    for name, strict in _STRICT.items():
        own = getattr(config, f"context_{name}")
        limits[name] = getattr(profile, name, strict) if own is None else own
    contexts = set(config.context_sweep_contexts or (profile.contexts if profile else ()))
    if config.wanted_context:
        contexts.add(config.wanted_context)
    named = tuple(tag for tag in config.context_quants if tag != PICK)
    quants = config.quants if named == (ALL,) else named if len(named) > 1 else ()
    return from_fields(
        ContextSettings,
        config,
        contexts=tuple(sorted(contexts)),
        search=config.context_search or ("bisect" if quants else "all"),
        quant_tag=named[0] if named and not quants else None,
        quants=quants,
        fill=ContextFill(
            share=config.context_fill,
            families=config.context_tasks,
            depths=config.context_depths,
            tasks_per_depth=config.context_tasks_per_depth,
        ),
        thresholds=ContextThresholds(**limits, include_invalid=config.include_invalid),
    )
