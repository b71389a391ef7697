"""Probing: the hardware probe beside each measurement, the context sweep, the thermal series."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from orket_lib.artifacts.measurements.spec import ContextFamily
from orket_lib.config.sections.fields import Contexts, Depths, Rate, Section, listed, refuse_repeats
from orket_lib.vocabulary.quants import normalize_tag

# As `quants` writes it, so `q4_k_m` is `Q4_K_M`.
Tag = Annotated[str, AfterValidator(normalize_tag)]


class HardwareSidecar(Section):
    """A probe of the hardware for each quant, by template or by profile."""

    hardware_sidecar_template: Annotated[
        str | tuple[str, ...] | None,
        Field(description="command of a hardware probe; a list is taken as it is"),
    ] = None
    hardware_sidecar_timeout_sec: Annotated[float, Field(gt=0, description="of one probe, s")] = (
        120.0
    )
    hardware_sidecar_profile: Annotated[
        str | None, Field(description="name of a probe in the profiles file")
    ] = None
    sidecar_profiles_config: Annotated[
        str, Field(description="path of the file with hardware probes by name")
    ] = "config/sidecar_profiles.json"


class ContextSweep(Section):
    """How long a context the chosen quant bears."""

    context_sweep_profile: Annotated[
        str | None, Field(description="name of a set of contexts and limits in the profiles file")
    ] = None
    context_sweep_contexts: Annotated[
        Contexts | None, Field(description="contexts to try, tokens; wins over the profile's")
    ] = None
    context_profiles_config: Annotated[
        str, Field(description="path of the file with context profiles by name")
    ] = "config/context_profiles.json"
    context_adherence_min: Annotated[
        Rate | None, Field(description="least adherence; null = the profile's")
    ] = None
    context_ttft_ceiling_ms: Annotated[
        float | None, Field(ge=0, description="0 = no limit; null = the profile's")
    ] = None
    context_decode_floor_tps: Annotated[
        float | None, Field(ge=0, description="0 = no limit; null = the profile's")
    ] = None
    context_search: Annotated[
        Literal["all", "bisect"],
        Field(description="try all contexts, or only those that a search for the ceiling needs"),
    ] = "all"
    context_quant_tag: Annotated[
        Tag | None, Field(description="quant that is measured; null = the frontier's pick")
    ] = None
    context_tasks: Annotated[
        tuple[ContextFamily, ...],
        BeforeValidator(listed),
        Field(
            min_length=1,
            description="what is asked about the text that fills a context: find a word, or add "
            "two numbers",
        ),
    ] = ("retrieval", "reasoning")
    context_depths: Annotated[
        Depths, Field(description="where in the text the answer lies, 0 its begin and 1 its end")
    ] = (0.0, 0.25, 0.5, 0.75, 1.0)
    context_tasks_per_depth: Annotated[
        int, Field(ge=1, le=100, description="tasks of each family at each depth")
    ] = 2
    context_fill: Annotated[
        float, Field(ge=0.1, le=0.95, description="share of a context that a prompt fills")
    ] = 0.85

    @field_validator("context_sweep_contexts", "context_tasks", "context_depths")
    @classmethod
    def _nothing_is_repeated(
        cls, values: tuple[float | str, ...] | None
    ) -> tuple[float | str, ...] | None:
        if values is not None:
            # Depths are told apart by two decimals, in the names of tasks.
            refuse_repeats([f"{it:.2f}" if isinstance(it, float) else str(it) for it in values])
        return values


class ThermalSeries(Section):
    """Whether the chosen quant stays as fast when the machine is warm."""

    thermal_repeats: Annotated[int, Field(ge=0, description="repeats in a row; 0 = none")] = 0
    thermal_quant_tag: Annotated[
        Tag | None, Field(description="quant that is measured; null = the frontier's pick")
    ] = None
    thermal_generations: Annotated[
        int, Field(ge=1, description="generations of a probe's size in each repeat")
    ] = 20
    thermal_cooldown_target_c: Annotated[
        float, Field(gt=0, le=150, description="cool enough to begin a repeat")
    ] = 50.0
    thermal_cooldown_timeout_sec: Annotated[
        float, Field(gt=0, description="waited for it at most, before each repeat, s")
    ] = 120.0
    thermal_polluted_threshold_c: Annotated[
        float, Field(gt=0, le=150, description="a repeat that ends above it is polluted")
    ] = 85.0
    thermal_monotonic_window: Annotated[
        int, Field(ge=1, description="rises of latency in a row that are heat soak")
    ] = 2
