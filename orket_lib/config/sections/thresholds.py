"""Thresholds: what the frontier, the recommendation and the KPI gate require."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import NoSwitch, Rate, Section
from orket_lib.vocabulary.statuses import Prefer, WantName

LEAST_CONTEXT, MOST_CONTEXT = 256, 2**31 - 1  # servers count tokens in 32 bits


def misfit(name: WantName, limit: float) -> str:
    """Return what the limit of a want must be; `""` if it is."""
    if name is not WantName.CONTEXT:
        return "" if math.isfinite(limit) and limit > 0 else "a number > 0"
    if LEAST_CONTEXT <= limit <= MOST_CONTEXT and limit == int(limit):
        return ""
    return f"a whole number of tokens from {LEAST_CONTEXT} to {MOST_CONTEXT}"


class Thresholds(Section):
    """Requirements on quality, speed and memory."""

    adherence_threshold: Annotated[
        Rate, Field(description="least adherence, as a ratio of the baseline quant's")
    ] = 0.95
    latency_ceiling: Annotated[float, Field(gt=0, description="mean latency of a run, s")] = 10.0
    include_invalid: Annotated[
        bool, Field(description="let rows that are not valid into frontier and recommendation")
    ] = False
    prefer: Annotated[
        Prefer,
        Field(description="recommend the smallest quant that suffices, or the largest that fits"),
    ] = Prefer.SMALLEST
    wants: Annotated[
        dict[WantName, Annotated[float, Field(gt=0), NoSwitch]],
        Field(
            description="limits that a recommended quant has to meet: at least decode_tps tokens a "
            "second, at most ttft_ms, latency_s, memory_gib, vram_gib, ram_gib, at least a context "
            "of so many tokens (measured at the recommended quant)"
        ),
    ] = Field(default_factory=dict)
    kpi_policy: Annotated[str, Field(description="path of the KPI gate's limits")] = (
        "config/kpi_policy.json"
    )
