"""The context sweep of a config: which contexts, and what each must reach.

A profile of the profiles file gives contexts and limits; what the config itself names wins. Without
a profile, a limit that is not named is that of the shipped profile `safe`.
"""

from __future__ import annotations

from orket_lib.artifacts.measurements.spec import ContextFill
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.profiles import ContextProfile, chosen_profile
from orket_lib.vocabulary.errors import ConfigError

_STRICT = {"adherence_min": 0.95, "ttft_ceiling_ms": 250.0, "decode_floor_tps": 20.0}


def find_contexts(config: SweepConfig) -> ContextSettings | None:
    """Return the context sweep that a config asks for, None when it asks for none.

    Raises:
        ConfigError: The profiles file is unreadable or lacks the profile, or that is none.
    """
    if not config.sweeps_contexts:
        return None
    profile = _profile(config)
    listed = config.context_sweep_contexts or (profile.contexts if profile else ())
    limits = {name: _limit(config, profile, name) for name in _STRICT}
    return ContextSettings(
        contexts=tuple(sorted(listed)),
        search=config.context_search,
        quant_tag=config.context_quant_tag,
        fill=ContextFill(
            share=config.context_fill,
            families=config.context_tasks,
            depths=config.context_depths,
            tasks_per_depth=config.context_tasks_per_depth,
        ),
        probe_runs=config.probe_runs,
        on_server_death=config.on_server_death,
        rerun_polluted=config.rerun_polluted,
        thresholds=ContextThresholds(**limits, include_invalid=config.include_invalid),
    )


def context_problems(config: SweepConfig) -> tuple[str, ...]:
    """Return a line for each thing that keeps a config's contexts from being known."""
    try:
        find_contexts(config)
    except ConfigError as error:
        return error.problems
    return ()


def _limit(config: SweepConfig, profile: ContextProfile | None, name: str) -> float:
    named: float | None = getattr(config, f"context_{name}")
    if named is not None:
        return named
    return float(getattr(profile, name)) if profile else _STRICT[name]


def _profile(config: SweepConfig) -> ContextProfile | None:
    if config.context_sweep_profile is None:
        return None
    return chosen_profile(
        ContextProfile,
        ("context_profiles_config", config.context_profiles_config),
        ("context_sweep_profile", config.context_sweep_profile),
    )
