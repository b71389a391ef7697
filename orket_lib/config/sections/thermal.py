"""The thermal series: whether the chosen quant keeps its speed while the machine heats up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import QuantTag, Section


class ThermalSeries(Section):
    """Repeated generations in a row, with temperatures."""

    thermal_repeats: Annotated[
        int, Field(ge=0, le=10_000, description="repeats in a row; 0 = none")
    ] = 0
    thermal_quant_tag: Annotated[
        QuantTag | None, Field(description="quant to measure; null = the recommended one")
    ] = None
    thermal_generations: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="generations, each as long as a speed probe, in each repeat",
        ),
    ] = 20
    thermal_cooldown_target_c: Annotated[
        float, Field(gt=0, le=150, description="temperature at which a repeat may begin, °C")
    ] = 50.0
    thermal_cooldown_timeout_sec: Annotated[
        float, Field(gt=0, description="longest wait for it before each repeat, s")
    ] = 120.0
    thermal_polluted_threshold_c: Annotated[
        float, Field(gt=0, le=150, description="a repeat that ends hotter is polluted, °C")
    ] = 85.0
    thermal_monotonic_window: Annotated[
        int, Field(ge=1, description="consecutive rises of latency that count as heat soak")
    ] = 2
